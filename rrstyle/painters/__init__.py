"""Painters: small networks that learnt one painting, and paint any photograph at once."""
