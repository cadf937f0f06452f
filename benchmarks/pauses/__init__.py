"""The pause set: how often people are cut off while they pause, and how long they wait when they are done."""
