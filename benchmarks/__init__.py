"""Reproducible measurements of the product."""
