"""Public networks that can be fetched by name."""
