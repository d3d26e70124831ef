"""Vehicles of the training photos whose class, colour, make and side persons wrote down: out of each folder's labels.jsonl.

A row: {"set", "image", "box": [x, y, w, h], "text", "aspect", "class", "colour", "make", "view", "group", "held_out"}.
A label is "" where it could not be told. `aspect` un-stretches photos that were squeezed to a square.

Photos of one vehicle are a group, and a group is held out as a whole: photos of one plate text, of texts that differ in
one character, and of nearly the same picture.
"""
import json
import os
import zlib

import cv2
import numpy as np

from .labels import HELD_OUT, PHOTOS, fold
from .photos import SETS

ASPECT = 1.33  # what a photo that was squeezed to a square most often had
SHORT = 5  # texts of fewer characters may be near each other by chance
ALIKE = 36  # of 256 bits of two pictures' hashes, how many may differ for them to be nearly the same
LABELS = ("class", "colour", "make", "view")


def rows(photos):
    stretched = {s.name for s in SETS if s.stretched}
    out = []
    for name in PHOTOS:
        path = os.path.join(photos, name, "labels.jsonl")
        if not os.path.exists(path):
            continue
        with open(path) as f:
            for line in f:
                photo = json.loads(line)
                out += [{"set": name, "image": photo["image"], "box": p["box"], "text": fold(p.get("text", "")),
                         "aspect": ASPECT if name in stretched else 1.0, **{k: p["vehicle"].get(k) or "" for k in LABELS}}
                        for p in photo["plates"] if p.get("vehicle")]
    return out


def one_apart(a, b):
    """Whether two texts differ in one character, or one has one more."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1:
        return False
    i = 0
    while i < len(a) and a[i] == b[i]:
        i += 1
    return a[i + 1:] == b[i + 1:] if len(a) == len(b) else a[i:] == b[i + 1:]


def picture_hash(image):
    """256 bits: whether each cell of a small picture is brighter than its left neighbour."""
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def group(rows, hashes):
    """Gives each row its `group` and whether that is `held_out`."""
    parent = list(range(len(rows)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    texts = {}
    for i, row in enumerate(rows):
        if row["text"]:
            parent[root(i)] = root(texts.setdefault(row["text"], i))
    long = [t for t in texts if len(t) >= SHORT]
    for i, a in enumerate(long):
        for b in long[:i]:
            if abs(len(a) - len(b)) <= 1 and one_apart(a, b):
                parent[root(texts[a])] = root(texts[b])
    bits = np.asarray(hashes, np.float32) * 2 - 1
    apart = (bits.shape[1] - bits @ bits.T) / 2
    for i, j in zip(*np.nonzero(np.triu(apart <= ALIKE, 1))):
        parent[root(i)] = root(j)
    names = {}
    for i, row in enumerate(rows):
        name = row["text"] or f"~{row['set']}/{row['image']}"
        names[root(i)] = min(names.get(root(i), name), name)
    for i, row in enumerate(rows):
        row["group"] = names[root(i)]
        row["held_out"] = zlib.crc32(row["group"].encode()) % HELD_OUT == 0
    return rows
