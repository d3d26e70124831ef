"""The syntax of registration numbers as a soft prior, exactly as the daemon applies it.

The forms stand in models/syntax.toml. One look's candidates are lifted by exp(prior);
what they leave over ("none of these") is lifted as the best of them is, so that the
prior ranks texts against each other without making the best of them surer.
"""
import math
import tomllib
from pathlib import Path

SYNTAX = Path(__file__).resolve().parents[2] / "syntax.toml"
FLOOR = 1e-5   # no probability of a character counts as less
LIKELY = 0.5   # a state of lower probability counts as not known


def load(path=SYNTAX):
    return tomllib.loads(Path(path).read_text())


def fits(text, form):
    def one(c, f):
        if f == "9":
            return c.isdigit()
        return "A" <= c <= "Z" and (f == "A" or c not in "IOQ")
    return len(text) == len(form) and all(map(one, text, form))


def nats(forms, text, state):
    """How much more plausible than a text of no known form; 0 or more."""
    tables = {"CA": ["california"], "": ["california", "general"]}.get(state, ["general"])
    return max((n for t in tables for form, n in forms[t] if fits(text, form)), default=0.0)


def rank(forms, candidates, state):
    """[(text, probability)] of one look to the same, re-ranked and summing to at most one."""
    candidates = [(t, p) for t, p in candidates if t]
    if not candidates:
        return []
    rest = max(0.0, 1.0 - sum(p for _, p in candidates))
    lifted = [(t, p * math.exp(nats(forms, t, state)), p) for t, p in candidates]
    best = max(lifted, key=lambda c: c[1])
    lift = best[1] / best[2] if best[2] > 0 else 1.0
    total = sum(c[1] for c in lifted) + rest * lift
    return sorted(((t, p / max(total, 1e-38)) for t, p, _ in lifted), key=lambda c: (-c[1], c[0]))
