"""The bus: what carries events from one service's outbox to the others' inboxes.

`interface` is what the rest of the code knows. `postgres` is the bus of one machine, `kafka` that of several;
`shared.runtime.open_bus` chooses. What fails in either without an event being to blame is listed in `weather`.
"""
