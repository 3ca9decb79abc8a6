"""Reads a portrait's factors back from its picture, and compares pictures by its features."""

from latentfu_builtin.scorer.network import ScorerNetwork, load_scorer, save_scorer

__all__ = ["ScorerNetwork", "load_scorer", "save_scorer"]
