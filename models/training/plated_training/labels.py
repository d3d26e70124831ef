"""Plates of the training photos whose texts persons read off: folder by folder, out of each one's labels.jsonl.

A row: {"set", "image", "box": [x, y, w, h], "text", "state", "old"}. The state is a code, "" for plates of
other countries, "US" where the state can't be told, "?" where the country can't. Texts write the letter O as 0. They are numbers of real
vehicles, and stay beside the photos, outside the repository.
"""
import json
import os
import zlib

CLOSE = "us-plates"  # upright close crops: the image is the plate
PHOTOS = ("open-lpr", "rhit", "techkhid", "robertlucian")
HELD_OUT = 7  # one plate in seven is never trained on
LONG = 3.0  # width to height from which on a plate is none of the USA


def fold(text):
    return text.replace("O", "0")


def held_out(row):
    """By the text, so that all photos of one vehicle fall on the same side."""
    return zlib.crc32(fold(row["text"]).encode()) % HELD_OUT == 0


def rows(photos, sets):
    out = []
    for name in sets:
        path = os.path.join(photos, name, "labels.jsonl")
        if not os.path.exists(path):
            continue
        with open(path) as f:
            for line in f:
                row = json.loads(line)
                out += [{"set": name, "image": row["image"], "box": p["box"], "text": fold(p["text"]), "state": state(p),
                         "old": p.get("old", False)} for p in row["plates"] if p.get("text")]
    return out


def state(plate):
    """Where no country is named, a long plate is foreign; any other might be of the USA."""
    if plate.get("state"):
        return plate["state"]
    if plate.get("country") == "US":
        return "US"
    return "?" if plate["box"][2] < LONG * plate["box"][3] else ""
