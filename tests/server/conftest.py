from fixtures import server, start

__all__ = ["server", "start"]
