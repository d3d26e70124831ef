"""Arranges the 8-bit detector's graph so that onnxruntime runs it faster; its results stay the same.

    python -m plated_training.layout ../detector.toml

- The first convolution, 6×6 pixels in steps of 4 with 3 channels, is the same sum as one of 6×2 with steps of 4 and 1
  over groups of four pixels with 12 channels. A row of pixels is such a row of groups as it lies in memory, and longer
  runs are copied faster.
- Doubling a map by nearest neighbour is copying: each pixel twice, then each row twice.
- The last convolution, 1×1 in float, is a product of matrices, which needs no other order of the map.
"""

import argparse
import hashlib
import re
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

GROUP = 4       # pixels, the first convolution's step


def arrange(model):
    graph = model.graph
    tensors = {t.name: t for t in graph.initializer}
    makers = {o: n for n in graph.node for o in n.output}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def value(name):
        return numpy_helper.to_array(tensors[name])

    def constant(name, array):
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def replace(node, new):
        at = list(graph.node).index(node)
        graph.node.remove(node)
        for i, n in enumerate(new):
            graph.node.insert(at + i, n)

    # The first convolution.
    transpose = readers["images"][0]
    first = readers[readers[transpose.output[0]][0].output[0]][0]
    attributes = {a.name: a for a in first.attribute}
    if list(attributes["kernel_shape"].ints) != [6, 6] or list(attributes["pads"].ints) != [2] * 4:
        raise ValueError("the first convolution is not the one that is known here")
    weights = value(makers[first.input[1]].input[0])
    grouped = np.zeros((len(weights), 3 * GROUP, 6, 2), weights.dtype)
    for group in range(2):
        for pixel in range(GROUP):
            column = GROUP * group + pixel - 2
            if 0 <= column < 6:
                grouped[:, 3 * pixel:3 * pixel + 3, :, group] = weights[:, :, :, column]
    tensors[makers[first.input[1]].input[0]].CopyFrom(
        numpy_helper.from_array(grouped, makers[first.input[1]].input[0]))
    attributes["kernel_shape"].ints[:] = [6, 2]
    attributes["strides"].ints[:] = [GROUP, 1]
    attributes["pads"].ints[:] = [2, 1, 2, 0]
    constant("groups_shape", np.array([0, 0, -1, 3 * GROUP], np.int64))
    graph.node.insert(0, helper.make_node("Reshape", ["images", "groups_shape"], ["groups"]))
    transpose.input[0] = "groups"

    # Doubling, on bytes: the values on both sides have one scale.
    order = constant("pixels_first", np.array([0, 2, 3, 1], np.int64))
    for n, resize in enumerate([node for node in graph.node if node.op_type == "Resize"]):
        before, after = makers[resize.input[0]], readers[resize.output[0]][0]
        added = next(node for node in readers[readers[after.output[0]][0].output[0]] if node.op_type == "Add")
        other = next(i for i in added.input if i != readers[after.output[0]][0].output[0])
        like = makers[other].input[0]
        if before.op_type != "DequantizeLinear" or before.input[1] != after.input[1]:
            raise ValueError("the doubled map has another scale than the one before it")
        name = f"double_{n}"
        replace(resize, [
            helper.make_node("Shape", [like], [f"{name}_like"]),
            helper.make_node("Gather", [f"{name}_like", order], [f"{name}_shape"]),
            helper.make_node("Transpose", [before.input[0]], [f"{name}_in"], perm=[0, 2, 3, 1]),
            helper.make_node("Concat", [f"{name}_in"] * 2, [f"{name}_pixels"], axis=3),
            helper.make_node("Concat", [f"{name}_pixels"] * 2, [f"{name}_rows"], axis=2),
            helper.make_node("Reshape", [f"{name}_rows", f"{name}_shape"], [f"{name}_map"]),
            helper.make_node("Transpose", [f"{name}_map"], [after.output[0]], perm=[0, 3, 1, 2]),
        ])
        graph.node.remove(before)
        graph.node.remove(after)

    # The last convolution.
    last = [node for node in graph.node if node.op_type == "Conv"][-1]
    if value(last.input[1]).shape[2:] != (1, 1):
        raise ValueError("the last convolution is not the one that is known here")
    constant("head_matrix", value(last.input[1])[:, :, 0, 0].T)
    used = set(i for n in graph.node if n is not last for i in n.input)
    replace(last, [
        helper.make_node("Transpose", [last.input[0]], ["head_in"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["head_in", "head_matrix"], ["head_product"]),
        helper.make_node("Add", ["head_product", last.input[2]], ["head_sum"]),
        helper.make_node("Transpose", ["head_sum"], [last.output[0]], perm=[0, 3, 1, 2]),
    ])
    used |= {last.input[2]} | set(i for n in graph.node for i in n.input)
    for tensor in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(tensor)
    for node in [n for n in graph.node if n.op_type == "Constant" and n.output[0] not in used]:
        graph.node.remove(node)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sidecar", type=Path)
    args = ap.parse_args()
    path = args.sidecar.with_suffix(".onnx")
    data = arrange(onnx.load(path)).SerializeToString()
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    args.sidecar.write_text(re.sub(r'sha256 = "[0-9a-f]*"', f'sha256 = "{digest}"', args.sidecar.read_text()))


if __name__ == "__main__":
    main()
