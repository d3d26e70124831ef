"""The syntax of registration numbers as a soft prior, exactly as the daemon applies it.

On most plates the letter O and the digit 0 have one shape, so the reader's two classes are taken
as one and the form decides how it is written: O where the most plausible form has a letter,
else 0, as NCIC writes it. The forms stand in models/syntax.toml. One look's candidates are lifted by exp(prior);
what they leave over ("none of these") is lifted as the best of them is, so that the
prior ranks texts against each other without making the best of them surer.
"""
import math
import tomllib
from pathlib import Path

import numpy as np

SYNTAX = Path(__file__).resolve().parents[2] / "syntax.toml"
FLOOR = 1e-5   # no probability of a character counts as less
LIKELY = 0.5   # a state of lower probability counts as not known


def load(path=SYNTAX):
    return tomllib.loads(Path(path).read_text())


def fold(slots, alphabet):
    """The probability of O added to that of 0."""
    slots = np.array(slots, np.float32)
    slots[:, alphabet.index("0")] += slots[:, alphabet.index("O")]
    slots[:, alphabet.index("O")] = 0
    return slots


def spell(text, form):
    """`text`, with every O written 0, as `form` spells it: O where the form has a letter; None where it does not fit."""
    if len(text) != len(form):
        return None
    out = ""
    for c, f in zip(text, form):
        if f == "9" and not c.isdigit():
            return None
        if f != "9":
            c = "O" if c == "0" else c
            if not "A" <= c <= "Z" or (f == "B" and c in "IOQ"):
                return None
        out += c
    return out


def best(forms, text, state):
    """(spelling, nats) of `text`, with every O written 0: by the most plausible form it fits, or as it is and 0."""
    tables = {"CA": ["california"], "": ["california", "general"]}.get(state, ["general"])
    found = (text, 0.0)
    for table in tables:
        for form, nats in forms[table]:
            spelled = spell(text, form)
            if spelled and nats > found[1]:
                found = (spelled, nats)
    return found


def rank(forms, candidates, state):
    """[(text, probability)] of one look, every O written 0, to the same, spelled, re-ranked and summing to at most one."""
    candidates = [(t, p) for t, p in candidates if t]
    if not candidates:
        return []
    rest = max(0.0, 1.0 - sum(p for _, p in candidates))
    spelled = [(*best(forms, t, state), p) for t, p in candidates]
    lifted = [(t, p * math.exp(nats), p) for t, nats, p in spelled]
    top = max(lifted, key=lambda c: c[1])
    lift = top[1] / top[2] if top[2] > 0 else 1.0
    total = sum(c[1] for c in lifted) + rest * lift
    return sorted(((t, p / max(total, 1e-38)) for t, p, _ in lifted), key=lambda c: (-c[1], c[0]))
