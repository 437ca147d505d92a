"""History: who changed which field of what, when, and what it was before."""
