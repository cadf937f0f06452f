"""Floor 4: the process. Takes offers, wires sessions, keeps the journal, watches itself."""
