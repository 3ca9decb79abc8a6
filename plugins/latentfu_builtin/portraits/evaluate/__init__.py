"""How good the portraits are: distributions, attributes, smoothness, memorising, in figures."""
