"""The bus: what carries events from one service's outbox to the others' inboxes.

`interface` is what the rest of the code knows. `postgres` is the bus of one machine; a broker is one more
module beside it.
"""
