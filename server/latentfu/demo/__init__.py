"""The main job through the HTTP interface: what ``install.py demo`` runs."""
