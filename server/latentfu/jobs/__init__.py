"""Jobs: the queue in sqlite, the worker process that does them, and what passes between."""
