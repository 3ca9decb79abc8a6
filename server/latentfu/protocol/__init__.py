"""What passes between the doors and the editor: requests, replies, pixel bodies."""
