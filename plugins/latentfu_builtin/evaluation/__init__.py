"""How good any generator is: its pictures against those that it should be like."""
