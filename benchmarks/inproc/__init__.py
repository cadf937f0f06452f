"""The same synthetic callers, speech and fixed-delay engines through ours, the floor and the peers: no transport.

Nothing here but `ours` and `floor` imports the product, so that it also runs in the peers' own environments.
"""
