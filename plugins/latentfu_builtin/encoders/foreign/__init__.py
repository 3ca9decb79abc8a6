"""Encoders of other projects, rebuilt so that their checkpoints load by name."""
