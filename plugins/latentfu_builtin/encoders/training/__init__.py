"""Training an encoder on a generator's own pictures, and on others that it should show."""
