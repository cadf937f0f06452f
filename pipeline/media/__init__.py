"""Floor 3: the only room that knows aiortc, aioice and av. It brings a visitor's connection behind `core.ports.Line`."""
