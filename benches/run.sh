#!/usr/bin/env bash
# Measures a broker on this machine, with the ceiling of each figure from the same run, and records
# the figures in benches/baseline. Wants a quiet machine with two processors or more, and python3.
# Options: see benches/run.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

command -v python3 >/dev/null || { echo "benches/run.sh: python3 is missing" >&2; exit 1; }
if [ -z "${BIN:-}" ]; then
  cargo build --release --locked --bins \
    -p precursor-cli -p precursor-dataplane -p precursor-controlplane
fi
exec python3 benches/run.py --bin "${BIN:-target/release}" "$@"
