"""The door for other people and machines: TLS, users with tokens of their own, an audit log."""
