"""Networks with all that fits them, fetched and installed by one name."""
