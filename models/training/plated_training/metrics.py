"""Figures from labels and reads: capture, exact, folded, per character, calibration, state."""
import re


def norm(t):
    return re.sub(r"[^A-Z0-9]", "", (t or "").upper())


def fold(t):
    return t.replace("O", "0")


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return 0.0 if w <= 0 or h <= 0 else w * h / (a[2] * a[3] + b[2] * b[3] - w * h)


def edit(a, b):
    d = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        p, d[0] = d[0], i
        for j, y in enumerate(b, 1):
            p, d[j] = d[j], min(d[j] + 1, d[j - 1] + 1, p + (x != y))
    return d[-1]


def calibration_error(pairs, bins=10):
    """Expected calibration error of (confidence, right) pairs."""
    total = 0.0
    for k in range(bins):
        part = [(c, ok) for c, ok in pairs if k / bins <= c < (k + 1) / bins or (k == bins - 1 and c >= 1)]
        if part:
            total += abs(sum(c for c, _ in part) - sum(ok for _, ok in part))
    return total / max(1, len(pairs))


def score(labels, reads, crops=False):
    by = {r["image"]: r["plates"] for r in reads}
    n = cap = exact = folded = 0
    chars, conf, state = 0.0, [], []
    for l in labels:
        for p in l["plates"]:
            if "text" not in p:
                continue
            n += 1
            got = by.get(l["image"], [])
            near = got if crops else [g for g in got if iou(g["box"], p["box"]) >= 0.3]
            if not near:
                continue
            cap += 1
            g = max(near, key=lambda g: g["confidence"])
            want, t = norm(p["text"]), norm(g["text"])
            exact += t == want
            ok = fold(t) == fold(want)
            folded += ok
            chars += max(0.0, 1 - edit(t, want) / max(1, len(want)))
            conf.append((g["confidence"], ok))
            if p.get("state") and "state" in g:
                state.append((g.get("state_confidence", 0), g["state"] == p["state"]))
    out = {"plates": n, "capture": cap / max(1, n), "exact": exact / max(1, n), "folded": folded / max(1, n), "char": chars / max(1, n),
           "calibration_error": calibration_error(conf)}
    sure = [ok for c, ok in conf if c >= .9]
    out["wrong_folded@0.9"] = [1 - sum(sure) / max(1, len(sure)), len(sure)]
    if state:
        out["state"] = sum(ok for _, ok in state) / len(state)
        sure = [ok for c, ok in state if c >= .9]
        out["wrong_state@0.9"] = [1 - sum(sure) / max(1, len(sure)), len(sure)]
    return {k: round(v, 4) if isinstance(v, float) else [round(x, 4) for x in v] if isinstance(v, list) else v for k, v in out.items()}
