"""The bus on Apache Kafka: what `interface` promises, on aiokafka."""

from shared.bus.interface import Bus
from shared.settings import Settings


class KafkaBus(Bus):
    """Not built yet."""

    def __init__(self, settings: Settings) -> None:
        raise NotImplementedError
