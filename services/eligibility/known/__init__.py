"""What eligibility has heard from the registry and referral services, and what follows from it: areas, obstacles."""
