"""The command `relink`, and everything that knows all four services: running them together on one machine."""
