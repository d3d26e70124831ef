"""The daemon's program and this package read the same texts from the same photos."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from plated_training import evaluate, metrics

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("SHARED", ROOT.parent / "shared")) / "data" / "validation"
PLATED = Path(os.environ.get("PLATED", ROOT / "target" / "debug" / "plated"))


@pytest.mark.parametrize("name, flags", [("us-crops", ["--plate-crops"]), ("caltech-cars", [])])
def test_plated_recognize_scores_within_one_plate_of_the_evaluation(name, flags, tmp_path):
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the photos are not here: {folder}")
    if not PLATED.is_file():
        pytest.skip(f"the program is not built: {PLATED}")
    theirs = tmp_path / "reads.jsonl"
    evaluate.main(["--models", str(ROOT / "models"), "--data", str(folder), "--out", str(theirs), *flags])
    ours = subprocess.run([PLATED, "recognize", "--json", "--models", ROOT / "models", *flags, folder],
                          check=True, capture_output=True, text=True).stdout
    labels = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]

    def figures(lines):
        reads = [json.loads(line) for line in lines.splitlines()]
        for read in reads:
            read["image"] = os.path.basename(read["image"])
        return metrics.score(labels, reads, bool(flags))

    a, b = figures(ours), figures(theirs.read_text())
    for figure in ("capture", "exact", "folded"):
        assert abs(a[figure] - b[figure]) * a["plates"] <= 1.01, (figure, a, b)
