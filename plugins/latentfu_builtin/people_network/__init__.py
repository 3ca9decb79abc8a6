"""The built-in network of people: what is shipped for it, and how that is made again."""
