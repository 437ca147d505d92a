"""The declaration of the monitoring service: which modules it has, and where it listens when run alone."""

from services.monitoring.tables import Base
from shared.service import Service

service = Service(
    name="monitoring",
    port=8004,
    base=Base,
    modules=(
        "services.monitoring.known",
        "services.monitoring.timeline",
        "services.monitoring.indicators",
    ),
)
