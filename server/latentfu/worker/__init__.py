"""The worker process: reads requests, does one job at a time, previews in between."""
