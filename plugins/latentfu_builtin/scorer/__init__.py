"""Reads factors of people back from pictures, and compares pictures by its features."""
