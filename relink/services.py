"""The four services, in the order in which they are brought up."""

from services.eligibility.app import service as eligibility
from services.monitoring.app import service as monitoring
from services.referral.app import service as referral
from services.registry.app import service as registry

SERVICES = (registry, eligibility, referral, monitoring)
