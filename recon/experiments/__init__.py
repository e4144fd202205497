"""The experiments, each in a file of its own; `EXPERIMENTS` names them all."""
