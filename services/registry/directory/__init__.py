"""The directory: organisations, programmes and services, from lead to retired."""
