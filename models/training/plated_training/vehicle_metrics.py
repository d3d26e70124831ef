"""Figures of the vehicle model: how often it is right, how often it answers, how far its probabilities can be taken at
their word."""
import numpy as np

BINS = 10


def softmax(logits, temperature=1.0):
    z = logits / temperature
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def fit_temperature(logits, right):
    """The temperature of the least log loss, by a plain search."""
    def loss(t):
        return -np.log(softmax(logits, t)[np.arange(len(right)), right] + 1e-9).mean()
    return round(float(min(np.exp(np.linspace(np.log(0.3), np.log(4), 120)), key=loss)), 4)


def calibration_error(confidence, right):
    """Mean gap between confidence and share of right answers, in ten bins."""
    total = 0.0
    for k in range(BINS):
        inside = (confidence > k / BINS) & (confidence <= (k + 1) / BINS)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(total)


def least(confidence, right, says, want):
    """The lowest threshold from which on the answers are right at that rate; it keeps most answers."""
    for threshold in np.arange(0.2, 0.96, 0.01):
        answered = says & (confidence >= threshold)
        if answered.sum() < 10:
            break
        if right[answered].mean() >= want:
            return round(float(threshold), 2)
    return 0.95


def figures(probabilities, target, threshold, none=None):
    """Of the vehicles whose word is known. `none` is the number of "none of these", which is no answer."""
    known = target >= 0
    p, target = probabilities[known], target[known]
    best, confidence = p.argmax(1), p.max(1)
    right = best == target
    says = best != none if none is not None else np.ones(len(best), bool)
    answered = says & (confidence >= threshold)
    return {
        "vehicles": int(len(target)),
        "right, of all": float(right.mean()),
        "answers": float(answered.mean()),
        "right, of answers": float(right[answered].mean()) if answered.any() else float("nan"),
        "calibration error": calibration_error(confidence, right),
    }
