"""The commands below ``latentfu directions``, a module for each group that belongs together."""
