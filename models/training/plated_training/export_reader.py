"""Checkpoint -> ONNX fp32 and int8, calibrated, with sidecars.

    python -m plated_training.export_reader --checkpoint FILE --shards DIR [--real DIR] --out models/

The shards are held out: crops, drawn and real, that training did not see. Ranges of
activations and temperatures come from them.
"""
import argparse
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
from .layout import arrange_reader
from .reader import SLOTS, Exported, Reader, standardise
from .real import ANY_STATE, EITHER
from .reader_data import H, MARGIN, UNKNOWN, W, shards
from .states import REGIONS

TRAINED_ON = [("synthetic plates drawn by plated_training", "same licence as plated"),
              ("us-plates close crops (gpiosenka/us-license-plates, by way of AndrewRademacher/license_plates)", "CC0 as declared"),
              ("open-lpr photos (backgrounds, plates)", "Apache-2.0"), ("robertlucian photos (backgrounds, plates)", "MIT"),
              ("techkhid photos (backgrounds, plates)", "CC BY 2.0/4.0"), ("rhit photos (backgrounds, plates)", "CC BY 4.0"),
              ("photos without a readable plate (Open Images, ICDAR 2015 and others)", "CC BY 2.0, CC BY 4.0, Apache-2.0, MIT")]


def outputs(net, imgs):
    """Slot and state logits."""
    outs, sts = [], []
    with torch.no_grad():
        for i in range(0, len(imgs), 128):
            s, _, _, _, t = net(standardise(torch.from_numpy(imgs[i:i + 128]).permute(0, 3, 1, 2).float()))
            outs.append(s), sts.append(t)
    return torch.cat(outs), torch.cat(sts)


def confidence(slots, text, temperature):
    """Probability of each best text, O and 0 as one, and whether it is right."""
    zero, letter = 1, 25
    p = torch.softmax(slots / temperature, 2)
    p[..., zero] += p[..., letter]
    p[..., letter] = 0
    top, at = p.max(2)
    want = torch.from_numpy(np.where((text == letter) | (text == EITHER), zero, text).astype(np.int64))
    return top.prod(1), (at == want).all(1)


def fit_temperature(loss):
    """The temperature of the least loss, by a plain search."""
    return round(min((float(loss(t)), t) for t in np.exp(np.linspace(np.log(.5), np.log(4), 80)))[1], 4)


def temperatures(net, drawn, real):
    """(of the slots, of the state), fitted on crops that no weight was trained on: for the slots by the
    log loss of whole texts' confidence, drawn and real crops counting alike; for the state by real crops,
    where there are any, since drawn plates of a state vary less."""
    sets = [drawn] + ([real] if real else [])
    outs = [outputs(net, x) for x, _, _ in sets]
    for (s, t), (_, text, state), name in zip(outs, sets, ("drawn", "real")):
        known = state != ANY_STATE
        ok = confidence(s, text, 1.0)[1].float().mean()
        oks = (t.argmax(1).numpy() == state)[known].mean()
        print(f"{name}, held out: folded {ok:.4f}, state {oks:.4f}, {len(text)} crops")

    def text_loss(temperature):
        total = 0
        for (s, _), (_, text, _) in zip(outs, sets):
            p, ok = confidence(s, text, float(temperature))
            total += torch.nn.functional.binary_cross_entropy(p.clamp(1e-6, 1 - 1e-6), ok.float())
        return total
    t, state = outs[-1][1], sets[-1][2]
    named = torch.from_numpy((state != ANY_STATE) & (state != UNKNOWN if real else True))
    want = torch.from_numpy(state.astype(np.int64))[named]
    return fit_temperature(text_loss), fit_temperature(lambda k: torch.nn.functional.cross_entropy(t[named] / float(k), want))


class Feed(CalibrationDataReader):
    def __init__(self, imgs, size=32):
        self.it = iter([imgs[i:i + size] for i in range(0, len(imgs), size)])

    def get_next(self):
        b = next(self.it, None)
        return None if b is None else {"images": b}


def calibration(drawn, real, n=384):
    """Crops for the ranges of activations: drawn and real in equal parts."""
    parts = [x[:: max(1, len(x) // n)] for x, _, _ in [drawn] + ([real] if real else [])]
    return np.concatenate([p[:n // len(parts)] for p in parts])


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
    states = ", ".join(f'"{c}"' for c in REGIONS + [""])
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
    ap.add_argument("--real", default="")
    ap.add_argument("--out", required=True)
    ap.add_argument("--version", default=time.strftime("%Y-%m-%d"))
    ap.add_argument("--raw", action="store_true", help="the last weights instead of their average")
    a = ap.parse_args()
    torch.set_num_threads(1)
    z = torch.load(a.checkpoint)
    net = Reader()
    net.load_state_dict(z["net" if a.raw else "ema"])
    net.eval()
    drawn, real = shards(a.shards, 2000), shards(a.real, 2000) if a.real else None
    imgs, text, _ = drawn
    t, ts = temperatures(net, drawn, real)
    print(f"step {z['step']}, temperature {t}, state temperature {ts}")
    os.makedirs(a.out, exist_ok=True)
    fp32, int8 = os.path.join(a.out, "reader-fp32.onnx"), os.path.join(a.out, "reader.onnx")
    model = Exported(net, t, ts).eval()
    torch.onnx.export(model, (torch.from_numpy(imgs[:2]),), fp32, input_names=["images"], output_names=["slots", "state"], opset_version=17,
                      dynamo=False, dynamic_axes={"images": {0: "n"}, "slots": {0: "n"}, "state": {0: "n"}})
    with tempfile.TemporaryDirectory() as tmp:
        pre = os.path.join(tmp, "pre.onnx")
        quant_pre_process(fp32, pre)
        quantize_static(pre, int8, Feed(calibration(drawn, real)), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"], per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)
    onnx.save(arrange_reader(onnx.load(int8)), int8)
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
