"""The ``latentfu`` program."""
