"""The doors: REST API, websockets, pages, and the server that they are reached through."""
