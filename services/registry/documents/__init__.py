"""Documents attached to agreements: the SOP itself, and what belongs to it."""
