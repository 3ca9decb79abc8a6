"""The verbs in the order of the data's way: crop, invert, edit, render, paste."""
