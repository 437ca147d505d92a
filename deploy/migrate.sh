#!/bin/sh
# What must be there before the APIs and workers of this version start: topics, tables, the tables of keys, positions.
# May be run again at any time; run it before every new version.
set -eu
cd "$(dirname "$0")/.."
if [ "${RELINK_BUS:-postgresql}" = kafka ]; then
	python -m relink topics create
fi
for service in registry eligibility referral monitoring; do
	python -m "services.$service" migrate
done
