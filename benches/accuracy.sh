#!/usr/bin/env bash
# Accuracy of `plated recognize` on labelled photos, where ../shared/data is there.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${SHARED:-../shared}/data/validation
python=target/venv/bin/python

score() { # folder, flags
  local folder=$1 reads
  shift
  reads=$(mktemp)
  target/release/plated recognize --json "$@" "$folder" >"$reads"
  PYTHONPATH=models/training "$python" - "$folder/labels.jsonl" "$reads" "$*" <<'PY'
import json, os, sys
from plated_training import metrics
labels = [json.loads(line) for line in open(sys.argv[1])]
reads = [json.loads(line) for line in open(sys.argv[2])]
for read in reads:
    read["image"] = os.path.basename(read["image"])
figures = metrics.score(labels, reads, "--plate-crops" in sys.argv[3])
print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))
PY
  rm -f "$reads"
}

echo
echo accuracy
for set in us-crops caltech-cars; do
  if [ ! -d "$data/$set" ]; then
    echo "  $set: SKIPPED, $data/$set is not there"
    continue
  fi
  echo "  $set:"
  if [ "$set" = us-crops ]; then score "$data/$set" --plate-crops; else score "$data/$set"; fi
done
