"""The machine (data plane): turns sound into sound and knows no database.

Rooms, from the ground up: `contracts` (values), `core` (how a conversation runs), `engines` and `media` (adapters),
`worker` (the process). `soak` is a client of the public API. See `docs/architecture.md`.
"""
