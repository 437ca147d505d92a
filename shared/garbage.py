"""The collection of garbage in processes that handle events by the thousand."""

import gc


def keep_what_is_loaded() -> None:
    """What was loaded stays: looking through it again and again took 40 % of the time of a projection's batches."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
