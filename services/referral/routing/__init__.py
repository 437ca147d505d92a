"""Which way a referral takes, and what must hold before each leg of it is travelled."""
