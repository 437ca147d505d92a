"""What tests stand on: a real PostgreSQL, a running system, clients. No mock of our own code."""
