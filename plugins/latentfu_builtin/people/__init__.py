"""People who never lived: portraits drawn from free parts, with every factor known."""
