"""What the referral service is made of."""

from services.referral.tables import Base
from shared.service import Service

service = Service(
    name="referral",
    port=8003,
    base=Base,
    modules=(
        "services.referral.known",
        "services.referral.cases",
        "services.referral.consents",
        "services.referral.places",
        "services.referral.routing",
        "services.referral.referrals",
    ),
    keeps_keys=True,
)
