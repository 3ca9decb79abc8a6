"""Plug-ins: finding them, keeping broken ones apart, listing what they bring."""
