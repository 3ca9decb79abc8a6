"""Networks of other projects: their checkpoint formats, import, export, and what was imported."""
