"""Faults at moments that are certain: eight processes and three brokers, of which one dies at the worst time.

`lives` is the load, `moments` the faults, `truth` what must hold afterwards, `play` one run of them.
Nothing in the product knows of this: a lock in the database or a stopped process holds a victim where it shall die.
"""
