"""`python -m bench.registry search`: what the registry does with many services; the figures go to the terminal."""

import sys

import uvloop

from bench import registry_search

MEASURES = {"search": registry_search.measure}


def main() -> None:
    chosen = sys.argv[1:]
    if len(chosen) != 1 or chosen[0] not in MEASURES:
        sys.exit(f"usage: python -m bench.registry {' | '.join(MEASURES)}")
    print("\n".join(uvloop.run(MEASURES[chosen[0]]())))


if __name__ == "__main__":
    main()
