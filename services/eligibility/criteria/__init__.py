"""Criteria sets: dated, versioned tests of a service, from draft through validated to retired."""
