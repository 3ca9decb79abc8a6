"""The nouns: what travels along layer -> crop -> invert -> apply -> render -> paste."""
