"""The bus on Apache Kafka: what `interface` promises, on aiokafka.

`bus` is the whole of it; `sender` and `reading` are its two ends, `topics` says how a topic must be, `connection` how
we show who we are. Errors of aiokafka go up as they are: `shared.bus.weather` says what they mean.
"""

from shared.bus.kafka.bus import KafkaBus as KafkaBus
