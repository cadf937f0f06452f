"""Peers beside us: each runs in a virtual environment of its own, in process, without server or network."""
