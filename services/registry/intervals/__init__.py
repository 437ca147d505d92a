"""Review intervals: how long a service of each kind counts as fresh, and when it is hidden."""
