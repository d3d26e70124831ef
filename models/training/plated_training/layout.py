"""Arranges the 8-bit graphs so that onnxruntime runs them faster.

    python -m plated_training.layout detector.onnx ../detector.toml [--arranged]

The first file is a model as it was quantised (or, with --arranged, as it is in the repository: then only its weights are
held to seven bits), the second the sidecar of where the result goes; its hash is renewed.

Both models:
- Weights are held to seven bits. Processors without instructions for 8-bit dot products (before AVX-512 VNNI or AVX-VNNI)
  add two products of a byte and a weight up in 16 bits, which overflow with weights of eight.
- A first convolution over three channels copies many short runs. Pixels of a row taken in groups, with the channels of
  all in a group, are the same bytes and longer runs; two neighbours of its output as channels of one fill the processor's
  registers. The sums stay the same.

Detector:
- Doubling a map by nearest neighbour is copying: each pixel twice, then each row twice; what is left over is cut off, so
  that sides need to be multiples of 8 only.
- The last convolution, 1×1 in float, is a product of matrices, and its bare numbers are what comes out:
  detector_infer.split says what they stand for.

Reader:
- The bytes of the picture are what the first convolution takes: the scale that was calibrated is that of the bytes.
- A convolution before a ReLU is rounded once, after it, and not before it too. This is a little more exact.
- The layer over all of a map, a fifth of the weights, is 8-bit as the convolutions are.
"""

import argparse
import hashlib
import re
import tomllib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROWS_LAST = [0, 3, 1, 2]
CHANNELS_LAST = [0, 2, 3, 1]
MIN_GROUP = 12  # channels: three words of four bytes
MAX_WEIGHT = 64  # 2 x 255 x 64 fits into 16 bits with their sign


class Graph:
    """A model's graph with what makes and what reads each value."""

    def __init__(self, model):
        self.graph = model.graph
        self.tensors = {t.name: t for t in self.graph.initializer}
        self.refresh()

    def refresh(self):
        self.makers = {o: n for n in self.graph.node for o in n.output}
        self.readers = {}
        for node in self.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def value(self, name):
        return numpy_helper.to_array(self.tensors[name])

    def constant(self, name, array):
        tensor = numpy_helper.from_array(np.array(array, order="C"), name)
        if name in self.tensors:
            self.tensors[name].CopyFrom(tensor)
        else:
            self.graph.initializer.append(tensor)
            self.tensors[name] = self.graph.initializer[-1]
        return name

    def replace(self, old, new):
        """Takes the nodes `old` out and the nodes `new` in; their order is mended at the end."""
        for node in old:
            self.graph.node.remove(node)
        self.graph.node.extend(new)
        self.refresh()

    def rename(self, old, new):
        for node in self.graph.node:
            for i, name in enumerate(node.input):
                if name == old:
                    node.input[i] = new
        self.refresh()

    def after(self, node):
        """All nodes that need what `node` makes."""
        found, names = [], list(node.output)
        while names:
            for reader in self.readers.get(names.pop(), []):
                if reader not in found:
                    found.append(reader)
                    names.extend(reader.output)
        return found

    def finish(self, model):
        """Nodes in order, nothing that nobody reads."""
        used = {i for n in self.graph.node for i in n.input}
        done, waiting = {i.name for i in self.graph.input} | set(self.tensors) | {""}, list(self.graph.node)
        del self.graph.node[:]
        while waiting:
            ready = [n for n in waiting if done.issuperset(n.input)]
            if not ready:
                raise ValueError("the graph has a circle")
            for n in ready:
                done.update(n.output)
                waiting.remove(n)
                if n.op_type != "Constant" or n.output[0] in used:
                    self.graph.node.append(n)
        for tensor in [t for t in self.graph.initializer if t.name not in used]:
            self.graph.initializer.remove(tensor)
        del self.graph.value_info[:]
        onnx.checker.check_model(model)
        return model


def attributes(node):
    return {a.name: a for a in node.attribute}


def grouped(conv, channels):
    """Of a first convolution over pixels: (pixels a group, groups before the first column's own, groups of a window, groups
    from one pair of columns to the next)."""
    a = attributes(conv)
    step, left, columns = a["strides"].ints[1], a["pads"].ints[1], a["kernel_shape"].ints[1]
    pixels = max(step, MIN_GROUP // channels)
    before = -(-left // pixels)
    return pixels, before, before + -(-(step + columns - left) // pixels), 2 * step // pixels


def group_first(g, transpose, conv):
    """Makes the first convolution, of the bytes of "images" that `transpose` puts channels first, one over groups of pixels
    with two of its columns in one."""
    a = attributes(conv)
    weight, bias = g.makers[conv.input[1]], g.makers[conv.input[2]]
    weights = g.value(weight.input[0])
    outputs, channels, rows, columns = weights.shape
    pixels, before, window, every = grouped(conv, channels)
    wide = np.zeros((2, outputs, pixels * channels, rows, window), weights.dtype)
    for second in range(2):
        for column in range(columns):
            at = before * pixels - a["pads"].ints[1] + second * a["strides"].ints[1] + column
            first = at % pixels * channels
            wide[second, :, first:first + channels, :, at // pixels] = weights[:, :, :, column]
    g.constant(weight.input[0], wide.reshape(2 * outputs, pixels * channels, rows, window))
    for name in [*weight.input[1:], *bias.input]:
        g.constant(name, np.tile(g.value(name), 2))
    a["kernel_shape"].ints[:] = [rows, window]
    a["strides"].ints[1] = every
    a["pads"].ints[:] = [a["pads"].ints[0], before, a["pads"].ints[2], window - before - every]
    g.constant("groups_shape", np.array([0, 0, -1, pixels * channels], np.int64))
    g.constant("columns_shape", np.array([0, 0, -1, outputs], np.int64))
    transpose.input[0] = "groups"
    out = quantised_output(g, conv).output[0]
    g.rename(out, "first")
    g.replace([], [
        helper.make_node("Reshape", ["images", "groups_shape"], ["groups"]),
        helper.make_node("Transpose", [out], ["first_pairs"], perm=CHANNELS_LAST),
        helper.make_node("Reshape", ["first_pairs", "columns_shape"], ["first_columns"]),
        helper.make_node("Transpose", ["first_columns"], ["first"], perm=ROWS_LAST),
    ])


def ungrouped(weights, channels, kernel, step, left):
    """The weights of the detector's or reader's first convolution as they were before :func:`group_first`."""
    like = helper.make_node("Conv", [], [], kernel_shape=[kernel, kernel], strides=[step, step], pads=[left] * 4)
    pixels, before, _, _ = grouped(like, channels)
    columns = [before * pixels - left + k for k in range(kernel)]
    first = weights[:len(weights) // 2]
    return np.stack([first[:, at % pixels * channels:][:, :channels, :, at // pixels] for at in columns], 3)


def seven_bits(model):
    """Halves weights of eight bits and doubles their scales, and those of the biases that go with them."""
    g, done = Graph(model), set()
    for node in g.graph.node:
        weight = g.makers.get(node.input[1]) if node.op_type in ("Conv", "Gemm") else None
        if weight is None or weight.op_type != "DequantizeLinear" or weight.input[0] in done:
            continue
        steps, scale = (g.value(name) for name in weight.input[:2])
        if np.abs(steps.astype(int)).max() <= MAX_WEIGHT:
            continue
        done.add(weight.input[0])
        g.constant(weight.input[0], np.rint(steps / 2).astype(np.int8))
        g.constant(weight.input[1], scale * np.float32(2))
        bias = g.makers[node.input[2]]
        g.constant(bias.input[0], np.rint(g.value(bias.input[0]) / 2).astype(np.int32))
        g.constant(bias.input[1], g.value(bias.input[1]) * np.float32(2))
    return model


def arrange_detector(model):
    g = Graph(model)
    transpose = g.readers["images"][0]
    first = g.readers[g.readers[transpose.output[0]][0].output[0]][0]
    if list(attributes(first)["kernel_shape"].ints) != [6, 6] or list(attributes(first)["pads"].ints) != [2] * 4:
        raise ValueError("the first convolution is not the one that is known here")
    group_first(g, transpose, first)

    # Doubling, on bytes: the values on both sides have one scale.
    g.constant("sides", np.array([1, 2], np.int64))
    g.constant("sides_last", np.array([2, 3], np.int64))
    g.constant("start", np.array([0, 0], np.int64))
    for n, resize in enumerate([node for node in g.graph.node if node.op_type == "Resize"]):
        before, after = g.makers[resize.input[0]], g.readers[resize.output[0]][0]
        twice = g.readers[after.output[0]][0]
        added = next(node for node in g.readers[twice.output[0]] if node.op_type == "Add")
        like = g.makers[next(i for i in added.input if i != twice.output[0])].input[0]
        if before.op_type != "DequantizeLinear" or before.input[1] != after.input[1]:
            raise ValueError("the doubled map has another scale than the one before it")
        channels = channels_of(g, before.input[0])
        name = f"double_{n}"
        g.constant(f"{name}_shape", np.array([0, -1, 0, channels], np.int64))
        g.replace([resize, before, after], [
            helper.make_node("Shape", [like], [f"{name}_like"]),
            helper.make_node("Gather", [f"{name}_like", "sides_last"], [f"{name}_end"]),
            helper.make_node("Transpose", [before.input[0]], [f"{name}_in"], perm=CHANNELS_LAST),
            helper.make_node("Concat", [f"{name}_in"] * 2, [f"{name}_pixels"], axis=3),
            helper.make_node("Concat", [f"{name}_pixels"] * 2, [f"{name}_rows"], axis=2),
            helper.make_node("Reshape", [f"{name}_rows", f"{name}_shape"], [f"{name}_all"]),
            helper.make_node("Slice", [f"{name}_all", "start", f"{name}_end", "sides"], [f"{name}_map"]),
            helper.make_node("Transpose", [f"{name}_map"], [after.output[0]], perm=ROWS_LAST),
        ])

    # The last convolution. What followed it whoever decodes the maps works out, of the few cells that count.
    last = [node for node in g.graph.node if node.op_type == "Conv"][-1]
    weights = g.value(last.input[1])
    if weights.shape[2:] != (1, 1):
        raise ValueError("the last convolution is not the one that is known here")
    g.constant("head_matrix", weights[:, :, 0, 0].T)
    g.constant("cells_shape", np.array([-1, weights.shape[1]], np.int64))
    g.constant("map_channels", np.array([len(weights)], np.int64))
    g.constant("nothing", np.array([0], np.int64))
    g.constant("three", np.array([3], np.int64))
    bias = last.input[2]
    back = g.makers[last.input[0]]
    g.replace([last, back, *g.after(last)], [
        helper.make_node("Transpose", [back.input[0]], ["head_last"], perm=CHANNELS_LAST),
        helper.make_node("Shape", ["head_last"], ["head_like"]),
        helper.make_node("Slice", ["head_like", "nothing", "three"], ["head_sides"]),
        helper.make_node("Concat", ["head_sides", "map_channels"], ["maps_shape"], axis=0),
        helper.make_node("Reshape", ["head_last", "cells_shape"], ["head_bytes"]),
        helper.make_node("DequantizeLinear", ["head_bytes", *back.input[1:]], ["head_cells"]),
        helper.make_node("Gemm", ["head_cells", "head_matrix", bias], ["head_product"]),
        helper.make_node("Reshape", ["head_product", "maps_shape"], ["maps"]),
    ])
    del g.graph.output[:]
    g.graph.output.append(helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["n", "h8", "w8", len(weights)]))
    return seven_bits(g.finish(model))


def product(g, name, rows, back, matrix, bias, out):
    """Nodes for the product of `rows` of bytes, whose scale is that of the node `back`, with a matrix in 8 bits, scaled by
    output, and a bias, to floats."""
    scales = (np.abs(matrix).max(1) / 127).astype(np.float32)
    sums = (scales * g.value(back.input[1])).astype(np.float32)
    g.constant(f"{name}_8", np.rint(matrix / scales[:, None]).astype(np.int8).T)
    g.constant(f"{name}_scale", scales)
    g.constant(f"{name}_zero", np.zeros(len(scales), np.int8))
    g.constant(f"{name}_bias_32", np.rint(bias / sums).astype(np.int32))
    g.constant(f"{name}_bias_scale", sums)
    g.constant(f"{name}_bias_zero", np.zeros(len(scales), np.int32))
    return [
        helper.make_node("DequantizeLinear", [rows, *back.input[1:]], [f"{name}_rows"]),
        helper.make_node("DequantizeLinear", [f"{name}_{k}" for k in ("8", "scale", "zero")], [f"{name}_matrix"], axis=1),
        helper.make_node("DequantizeLinear", [f"{name}_bias_{k}" for k in ("32", "scale", "zero")], [f"{name}_bias"], axis=0),
        helper.make_node("Gemm", [f"{name}_{k}" for k in ("rows", "matrix", "bias")], [out]),
    ]


def quantised_output(g, conv):
    node = conv
    while node.op_type != "QuantizeLinear":
        node = g.readers[node.output[0]][0]
    return node


def channels_of(g, name):
    """Channels of a map in bytes that a convolution made."""
    conv = g.makers[g.makers[name].input[0]]
    return len(g.value(g.makers[conv.input[1]].input[0]))


def arrange_reader(model):
    g = Graph(model)

    # The picture.
    transpose = g.readers["images"][0]
    chain = [transpose]
    while chain[-1].op_type != "QuantizeLinear":
        chain.append(g.readers[chain[-1].output[0]][0])
    if [n.op_type for n in chain[1:]] != ["Cast", "Mul", "Sub", "QuantizeLinear"]:
        raise ValueError("the picture is not scaled as is known here")
    factor, less = (constant_of(g, n.input[1]) for n in chain[2:4])
    scale, zero = (g.value(name) for name in chain[4].input[1:])
    bytes_now = np.arange(256)
    if (np.rint((bytes_now * factor - less) / scale) + zero != bytes_now).any():
        raise ValueError(f"pixels were calibrated to scale {scale}, zero {zero}, not to bytes as they are")
    g.rename(chain[4].output[0], transpose.output[0])
    g.replace(chain[1:], [])

    # What is rounded before a ReLU.
    for relu in [n for n in g.graph.node if n.op_type == "Relu" and g.makers[n.input[0]].op_type == "DequantizeLinear"]:
        back = g.makers[relu.input[0]]
        there = g.makers[back.input[0]]
        after = g.readers[relu.output[0]]
        conv = g.makers[there.input[0]]
        if conv.op_type != "Conv" or len(g.readers[there.output[0]]) != 1 or len(g.readers[back.output[0]]) != 1:
            raise ValueError(f"{relu.name} does not follow one convolution")
        relu.input[0] = conv.output[0]
        if [n.op_type for n in after] == ["QuantizeLinear"]:
            g.replace([there, back], [])
        else:
            # Bytes for what is above nothing only, which is all that is left.
            scale, zero = (g.value(name) for name in there.input[1:])
            g.constant(there.input[1], np.float32(scale * (255 - int(zero)) / 255))
            g.constant(there.input[2], np.zeros_like(zero))
            out = relu.output[0]
            g.rename(out, back.output[0])
            there.input[0] = out
        g.refresh()

    # The layer over all of a map that holds a fifth of the weights.
    gemm = max((n for n in g.graph.node if n.op_type == "Gemm"), key=lambda n: g.value(n.input[1]).size)
    flatten = g.makers[gemm.input[0]]
    back = g.makers[flatten.input[0]]
    if flatten.op_type != "Flatten" or back.op_type != "DequantizeLinear":
        raise ValueError(f"{gemm.name} does not follow a map in bytes")
    flatten.input[0] = back.input[0]
    g.replace([gemm], product(g, "all", flatten.output[0], back, *(g.value(i) for i in gemm.input[1:]), gemm.output[0]))

    first = g.readers[g.readers[transpose.output[0]][0].output[0]][0]
    group_first(g, transpose, first)
    return seven_bits(g.finish(model))


def constant_of(g, name):
    return g.value(name) if name in g.tensors else numpy_helper.to_array(attributes(g.makers[name])["value"].t)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", type=Path)
    ap.add_argument("sidecar", type=Path)
    ap.add_argument("--arranged", action="store_true", help="the model was arranged before")
    args = ap.parse_args()
    text = args.sidecar.read_text()
    arrange = {"plated-detector-1": arrange_detector, "plated-reader-1": arrange_reader}[tomllib.loads(text)["format"]]
    if args.arranged:
        arrange = seven_bits
    data = arrange(onnx.load(args.model)).SerializeToString()
    args.sidecar.with_suffix(".onnx").write_bytes(data)
    args.sidecar.write_text(re.sub(r'sha256 = "[0-9a-f]*"', f'sha256 = "{hashlib.sha256(data).hexdigest()}"', text))


if __name__ == "__main__":
    main()
