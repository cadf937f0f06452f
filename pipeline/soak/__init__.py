"""Synthetic callers that speak, listen and interrupt over the public API, and the report on what they met."""
