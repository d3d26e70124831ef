"""Contact sheets: what the generator draws, to be looked at beside real plates.

    python -m plated_training.sheets --out FILE.png [--photos PHOTOS] [--states CA,NV | --crops] [--seed 1]

Without --crops flat plates, a row a state; with it, crops as the reader gets them, with their texts.
"""
import argparse

import cv2
import numpy as np

from . import plates, reader_data


def flat(states, columns, seed, width=150):
    rows = []
    for row, state in enumerate(states):
        rng = np.random.default_rng([seed, row])
        cells = []
        for _ in range(columns):
            p = plates.render_plate(rng, state, width=320).image
            cells.append(cv2.resize(p, (width, width // 2), interpolation=cv2.INTER_AREA))
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def crops(photos, rows, columns, seed):
    rng = np.random.default_rng(seed)
    imgs, text, _, _ = reader_data.sample_batch(rng, reader_data.backgrounds(photos, 60, seed), rows * columns * 3)
    out = []
    for i in range(0, len(imgs), 3):  # every third: three looks are of one plate
        line = np.full((14, reader_data.W, 3), 255, np.uint8)
        label = "".join(reader_data.ALNUM[c - 1] for c in text[i] if c)
        cv2.putText(line, label, (3, 11), cv2.FONT_HERSHEY_SIMPLEX, .4, (0, 0, 160), 1, cv2.LINE_AA)
        out.append(np.vstack([imgs[i], line]))
    return np.vstack([np.hstack(out[r * columns:(r + 1) * columns]) for r in range(rows)])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True)
    ap.add_argument("--photos", default="")
    ap.add_argument("--states", default="CA,CA,TX,FL,NY,VA,NC,WA,AZ,NV")
    ap.add_argument("--crops", action="store_true")
    ap.add_argument("--columns", type=int, default=6)
    ap.add_argument("--rows", type=int, default=10, help="of crops")
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    sheet = crops(a.photos, a.rows, a.columns, a.seed) if a.crops else flat(a.states.split(","), a.columns, a.seed)
    cv2.imwrite(a.out, sheet, [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
