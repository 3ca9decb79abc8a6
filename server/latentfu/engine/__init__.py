"""Work on many things, divided among processes of this machine or the machines of a cluster."""
