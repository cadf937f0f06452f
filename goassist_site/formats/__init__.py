"""Dates as the console writes them: day first, 24 hours, never a question of a.m. or p.m."""
