"""Floor 1: frozen values and names that every other room may use. Standard library only."""
