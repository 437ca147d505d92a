"""Cases: one return of one person or family, where it stands, and who she is, sealed under a key of its own."""
