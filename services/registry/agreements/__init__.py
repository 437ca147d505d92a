"""Written agreements between organisations: without one in force, no referral."""
