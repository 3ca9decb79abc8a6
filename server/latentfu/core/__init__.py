"""The nouns of the house: what travels along layer -> crop -> invert -> edit -> render -> paste."""
