"""The HTTP client and the launcher: standard library and protocol only."""
