"""What the registry service is made of."""

from services.registry.tables import Base
from shared.service import Service

service = Service(
    name="registry",
    port=8001,
    base=Base,
    modules=(
        "services.registry.known",
        "services.registry.areas",
        "services.registry.history",
        "services.registry.intervals",
        "services.registry.directory",
        "services.registry.freshness",
        "services.registry.coverage",
        "services.registry.agreements",
        "services.registry.documents",
        "services.registry.mechanisms",
        "services.registry.imports",
    ),
)
