"""Floor 2: how a conversation runs. Pure asyncio: no engine, no network, no model library."""
