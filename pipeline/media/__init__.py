"""Floor 3: the only room that knows aiortc, aioice and av. It makes `core.ports.Line` of a visitor's connection."""
