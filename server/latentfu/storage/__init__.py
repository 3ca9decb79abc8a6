"""What lies on disk: folders, settings and token, direction files, cached inversions."""
