"""The four services, in the order in which they are brought up."""

from services.eligibility.app import service as eligibility
from services.monitoring.app import service as monitoring
from services.referral.app import service as referral
from services.registry.app import service as registry

SERVICES = (registry, eligibility, referral, monitoring)
KEEP_KEYS = frozenset({"eligibility", "referral"})
"""Services that seal what they hold of a case under a key of its own, and so have a database for keys."""
