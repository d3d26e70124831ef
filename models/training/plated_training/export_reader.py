"""Checkpoint -> ONNX fp32 and int8, calibrated, with sidecars.

    python -m plated_training.export_reader --checkpoint FILE --shards DIR --out models/

Calibration (ranges of activations, temperatures) uses generated shards only.
"""
import argparse
import glob
import hashlib
import os
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from . import fonts
from .reader import SLOTS, Exported, Reader, standardise
from .reader_data import H, MARGIN, W
from .states import CODES

# Drawn plates of a state vary less than real ones: the state's probability, fitted on them, is
# too sure on photos. The fitted temperature is raised by this factor.
STATE_CAUTION = 1.6
TRAINED_ON = [("synthetic plates drawn by plated_training", "same licence as plated"),
              ("open-lpr photos (backgrounds only)", "Apache-2.0"), ("robertlucian photos (backgrounds only)", "MIT"),
              ("techkhid photos (backgrounds only)", "CC BY 2.0/4.0"), ("rhit photos (backgrounds only)", "CC BY 4.0")]


def held_out(folder, n):
    """Crops out of the newest shards, evenly."""
    files = sorted(glob.glob(os.path.join(folder, "*.npz")), key=os.path.getmtime)
    files = [f for f in files if ".tmp" not in f][-8:]
    parts = [[], [], []]
    for f in files:
        with np.load(f) as z:
            for p, k in zip(parts, ("imgs", "text", "state")):
                p.append(z[k][:max(1, n // len(files))])
    return [np.concatenate(p) for p in parts]


def fit_temperature(logits, target):
    """The temperature with the least cross-entropy, by a plain search."""
    best = (1e9, 1.0)
    for t in np.exp(np.linspace(np.log(.5), np.log(3), 60)):
        ls = torch.nn.functional.cross_entropy(logits / float(t), target).item()
        best = min(best, (ls, float(t)))
    return round(best[1], 4)


def temperatures(net, imgs, text, state):
    outs, sts = [], []
    with torch.no_grad():
        for i in range(0, len(imgs), 128):
            x = standardise(torch.from_numpy(imgs[i:i + 128]).permute(0, 3, 1, 2).float())
            s, _, _, _, t = net(x)
            outs.append(s), sts.append(t)
    s, t = torch.cat(outs), torch.cat(sts)
    y = torch.from_numpy(text.astype(np.int64))
    ok = (s.argmax(2) == y).all(1).float().mean().item()
    oks = (t.argmax(1) == torch.from_numpy(state.astype(np.int64))).float().mean().item()
    print(f"synthetic: exact {ok:.4f}, state {oks:.4f}, {len(y)} crops")
    return fit_temperature(s.reshape(-1, s.shape[2]), y.reshape(-1)), round(STATE_CAUTION * fit_temperature(t, torch.from_numpy(state.astype(np.int64))), 4)


class Feed(CalibrationDataReader):
    def __init__(self, imgs, size=32):
        self.it = iter([imgs[i:i + size] for i in range(0, len(imgs), size)])

    def get_next(self):
        b = next(self.it, None)
        return None if b is None else {"images": b}


def speed(path, n=200):
    o = ort.SessionOptions()
    o.intra_op_num_threads = 1
    s = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).integers(0, 255, (1, H, W, 3), dtype=np.uint8)
    ts = []
    for _ in range(n):
        t = time.perf_counter()
        s.run(None, {"images": x})
        ts.append(time.perf_counter() - t)
    return 1000 * float(np.percentile(ts, 20)), s


def sidecar(path, name, version, temperature, state_temperature):
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    rows = list(TRAINED_ON) + [(f"font {n} (lettering)", "OFL-1.1") for g in (fonts.PLATE_FONTS, fonts.SERIF_FONTS, fonts.NAME_FONTS) for n in g]
    states = ", ".join(f'"{c}"' for c in CODES + [""])
    trained = ",\n  ".join(f'{{name = "{n}", licence = "{l}"}}' for n, l in rows)
    text = f'''format = "plated-reader-1"
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
width = {W}
height = {H}
margin = [{MARGIN[0]}, {MARGIN[1]}]

[output]
slots = "slots"
state = "state"
length = {SLOTS}
alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
states = [{states}]

[calibration]
temperature = {temperature}
# the state's own: {state_temperature}
'''
    with open(os.path.join(os.path.dirname(path), name + ".toml"), "w") as f:
        f.write(text)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--checkpoint", required=True)
    ap.add_argument("--shards", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--version", default=time.strftime("%Y-%m-%d"))
    ap.add_argument("--raw", action="store_true", help="the last weights instead of their average")
    a = ap.parse_args()
    torch.set_num_threads(1)
    z = torch.load(a.checkpoint)
    net = Reader()
    net.load_state_dict(z["net" if a.raw else "ema"])
    net.eval()
    imgs, text, state = held_out(a.shards, 2000)
    t, ts = temperatures(net, imgs, text, state)
    print(f"step {z['step']}, temperature {t}, state temperature {ts}")
    os.makedirs(a.out, exist_ok=True)
    fp32, int8 = os.path.join(a.out, "reader-fp32.onnx"), os.path.join(a.out, "reader.onnx")
    model = Exported(net, t, ts).eval()
    torch.onnx.export(model, (torch.from_numpy(imgs[:2]),), fp32, input_names=["images"], output_names=["slots", "state"], opset_version=17,
                      dynamo=False, dynamic_axes={"images": {0: "n"}, "slots": {0: "n"}, "state": {0: "n"}})
    with tempfile.TemporaryDirectory() as tmp:
        pre = os.path.join(tmp, "pre.onnx")
        quant_pre_process(fp32, pre)
        quantize_static(pre, int8, Feed(imgs[:: max(1, len(imgs) // 384)][:384]), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"], per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)
    for path, name in ((fp32, "reader-fp32"), (int8, "reader")):
        onnx.checker.check_model(path)
        ms, s = speed(path)
        out, st = s.run(None, {"images": imgs[:512]})
        ok = (out.argmax(2) == text[:512]).all(1).mean()
        if path == fp32:
            with torch.no_grad():
                want = model(torch.from_numpy(imgs[:64]))[0].numpy()
            gap = np.abs(want - out[:64]).max()
            print("fp32 differs from torch by at most", gap)
            if gap > 1e-3:
                raise SystemExit("export is not the same network")
        print(f"{os.path.basename(path)}: {os.path.getsize(path) / 1e6:.2f} MB, {ms:.2f} ms, synthetic exact {ok:.4f}")
        sidecar(path, name, a.version, t, ts)


if __name__ == "__main__":
    main()
