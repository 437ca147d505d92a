"""What the eligibility service is made of."""

from services.eligibility.tables import Base
from shared.service import Service

service = Service(
    name="eligibility",
    port=8002,
    base=Base,
    modules=(
        "services.eligibility.known",
        "services.eligibility.facts",
        "services.eligibility.criteria",
        "services.eligibility.matching",
        "services.eligibility.decisions",
    ),
    keeps_keys=True,
)
