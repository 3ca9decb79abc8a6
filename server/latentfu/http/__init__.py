"""The front process: aiohttp, never torch."""
