"""Painters learn a painting: targets that `paint` makes, losses, the training."""
