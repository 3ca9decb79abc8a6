from tests.support.server_fixtures import server, start

__all__ = ["server", "start"]
