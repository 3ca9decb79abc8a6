"""Regions of a face: which pixel is hair, skin or clothes, read by a small network."""
