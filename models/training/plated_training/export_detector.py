"""Exports the detector's averaged weights: ONNX fp32 and int8, and the sidecar.

python -m plated_training.export_detector --state DIR --models DIR [--default int8|fp32]

The image goes in as bytes, NHWC BGR.  Space-to-depth and the first 3x3 convolution
are together one 6x6 convolution of stride 4 on the image, and the division by 255 is
in its weights; so nothing is left to do on full-size pixels but to transpose, and the
int8 model takes the bytes as they are for its first quantised activation.

What comes out is what the network says of each cell in bare numbers: detector_infer.split
says what they stand for.
"""

import argparse
import hashlib
import json
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from torch import nn

from .detector import Detector
from .detector_infer import Detector as Inference
from .detector_infer import split
from .layout import arrange_detector
from .photos import SETS

SIDECAR = """# Made by plated_training.export_detector: do not edit by hand.
format = "plated-detector-1"
file = "{file}"
sha256 = "{sha256}"
version = "{version}"
trained_on = [
{sets}]

[input]
name = "images"
dtype = "uint8"
layout = "NHWC"
colour = "BGR"
width = {width}
height = {height}

[output]
maps = "maps"
stride = 8

[decode]
threshold = {threshold}
nms_iou = 0.45
"""


# Size of the corners' quadrangle; a little under 1, since on real photos frames and shadows
# draw it outward: at 0.95 the reader was surest on the training photos.
TIGHTEN = 0.95


class Plain(nn.Module):
    """The fused detector on float NCHW pixels 0..255."""

    def __init__(self, model, tighten=1.0):
        super().__init__()
        model.fuse()
        with torch.no_grad():
            # Corners drawn towards their middle: each becomes a mix of itself and their mean,
            # which is linear in the head's outputs and so costs nothing.
            for p in (model.head.weight, model.head.bias):
                for first in (5, 6):                       # x, then y
                    rows = p[first::2]
                    rows.copy_(tighten * rows + (1 - tighten) * rows.mean(0, keepdim=True))
        old = model.stem.fused
        k = old.weight.shape[0]
        # [o, (dy, dx, c), ky, kx] -> [o, c, (ky, dy), (kx, dx)]
        weight = old.weight.reshape(k, 2, 2, 3, 3, 3).permute(0, 3, 4, 1, 5, 2).reshape(k, 3, 6, 6)
        first = nn.Conv2d(3, k, 6, 4, 2)
        with torch.no_grad():
            first.weight.copy_(weight / 255.0)
            first.bias.copy_(old.bias)
        model.stem.fused = first
        self.model = model

    def forward(self, x):
        return self.model.head(self.model.trunk(x)).permute(0, 2, 3, 1)


class Scenes(CalibrationDataReader):
    """Training scenes, one by one, as float NCHW."""

    def __init__(self, images):
        self.images = iter(images)

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"x": image.transpose(2, 0, 1)[None].astype(np.float32)}


def calibration_images(shards, count, seed=7):
    rng = np.random.default_rng(seed)
    paths = sorted(Path(shards).glob("*.npz"))
    full = [p for p in paths if "640x384" in p.name]
    paths = full or paths
    images = []
    for path in rng.permutation(paths)[:max(1, count // 16)]:
        z = np.load(path)
        starts = np.concatenate([[0], z["ends"][:-1]])
        for i in rng.permutation(len(starts))[:16]:
            images.append(cv2.imdecode(z["bytes"][starts[i]:z["ends"][i]], cv2.IMREAD_COLOR))
    return images[:count]


def take_bytes(model, quantised):
    """Replaces the float input `x` by `images`: uint8 NHWC."""
    graph = model.graph
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3]))
    transpose = helper.make_node("Transpose", ["images"], ["images_nchw"], "to_nchw", perm=[0, 3, 1, 2])
    if quantised:
        node = next(n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "x")
        values = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        scale, zero = values[node.input[1]], values[node.input[2]]
        if abs(float(scale) - 1) > 0.02 or int(zero) != 0:
            raise ValueError(f"pixels were calibrated to scale {scale}, zero {zero}, not to bytes as they are")
        for t in graph.initializer:
            if t.name == node.input[1]:
                t.CopyFrom(onnx.numpy_helper.from_array(np.float32(1).reshape(scale.shape), t.name))
        for n in graph.node:
            for i, name in enumerate(n.input):
                if name == node.output[0]:
                    n.input[i] = "images_nchw"
        graph.node.remove(node)
        graph.node.insert(0, transpose)
    else:
        graph.node.insert(0, transpose)
        graph.node.insert(1, helper.make_node("Cast", ["images_nchw"], ["x"], "to_float", to=TensorProto.FLOAT))
    # Sizes worked out for one canvas would contradict others.
    del graph.value_info[:]
    graph.output[0].CopyFrom(helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["n", "h8", "w8", 13]))
    onnx.checker.check_model(model)
    return model


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--state", required=True)
    ap.add_argument("--models", required=True)
    ap.add_argument("--default", choices=("int8", "fp32"), default="int8")
    ap.add_argument("--keep-other", action="store_true", help="keep the other precision beside it as well")
    ap.add_argument("--width", type=int, default=640)
    ap.add_argument("--height", type=int, default=384)
    ap.add_argument("--threshold", type=float, default=0.3)
    ap.add_argument("--tighten", type=float, default=TIGHTEN, help="size of the corners' quadrangle")
    ap.add_argument("--calibrate", type=int, default=96)
    ap.add_argument("--version", default=date.today().isoformat())
    args = ap.parse_args()
    state, out = Path(args.state), Path(args.models)
    out.mkdir(parents=True, exist_ok=True)
    saved = torch.load(state / "detector.pt", map_location="cpu")
    model = Detector()
    model.load_state_dict(saved["mean"])
    model.eval()
    reference = Detector()
    reference.load_state_dict(saved["mean"])
    reference.eval()
    plain = Plain(model, args.tighten)

    work = state / "export"
    work.mkdir(exist_ok=True)
    base, fp32, int8 = work / "base.onnx", work / "detector-fp32.onnx", work / "detector-int8.onnx"
    dynamic = {"x": {0: "n", 2: "h", 3: "w"}, "maps": {0: "n", 1: "h8", 2: "w8"}}
    torch.onnx.export(plain, (torch.rand(1, 3, 384, 640) * 255,), str(base), opset_version=17, dynamo=False,
                      input_names=["x"], output_names=["maps"], dynamic_axes=dynamic)
    images = calibration_images(state / "shards", args.calibrate)
    images[0][0, 0], images[0][0, 1] = 0, 255          # the pixels' range is all bytes
    graph = onnx.load(base).graph
    # The last convolution stays float: it is a few per cent of the work, and boxes come straight from it.
    last = [n.name for n in graph.node if n.op_type == "Conv"][-1:]
    after = [n.name for n in graph.node[[n.name for n in graph.node].index(last[0]):]]
    quantize_static(str(base), str(int8), Scenes(images), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
                    op_types_to_quantize=["Conv", "Add", "Resize", "Relu"], nodes_to_exclude=sorted(set(last + after)))
    onnx.save(take_bytes(onnx.load(base), False), fp32)
    onnx.save(arrange_detector(take_bytes(onnx.load(int8), True)), int8)

    chosen = {"int8": int8, "fp32": fp32}[args.default]
    data = chosen.read_bytes()
    (out / "detector.onnx").write_bytes(data)
    if args.keep_other:
        other = fp32 if args.default == "int8" else int8
        (out / other.name).write_bytes(other.read_bytes())
    names = [("plated_training.plates (rendered plates and scenes)", "this project's own")] + [(s.name, s.licence) for s in SETS]
    sets = "".join(f"    {{name = {json.dumps(n)}, licence = {json.dumps(l)}}},\n" for n, l in names)
    (out / "detector.toml").write_text(SIDECAR.format(file="detector.onnx", sha256=hashlib.sha256(data).hexdigest(), version=args.version,
                                                      sets=sets, width=args.width, height=args.height, threshold=args.threshold))

    # The exports against the torch model, at another batch and canvas than they were traced with.
    batch = np.stack([cv2.resize(i, (416, 256)) for i in images[:2]])
    with torch.no_grad():
        want = [m.numpy() for m in reference(torch.from_numpy(batch))]
    for name, path in (("fp32", fp32), ("int8", int8)):
        maps = Inference(out, model=path).session.run(["maps"], {"images": batch})[0]
        got = [np.stack(m) for m in zip(*map(split, maps))]
        at = np.repeat(want[0] > 0.3, 4, 1)
        print(name, f"{path.stat().st_size / 1e6:.2f} MB", "heat differs by at most %.4f" % np.abs(got[0] - want[0]).max(),
              "box px mean %.3f max %.2f" % (np.abs(got[1] - want[1])[at].mean(), np.abs(got[1] - want[1])[at].max()) if at.any() else "")
        if name == "fp32" and not np.allclose(got[0], want[0], atol=2e-3):
            raise SystemExit("the fp32 export differs from the torch model")
    print(f"step {saved['step']}, {saved['samples']} samples; default {args.default}")


if __name__ == "__main__":
    main()
