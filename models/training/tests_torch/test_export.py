"""The exported 8-bit graphs give the same on every processor."""
import pathlib

import onnx
import pytest
from onnx import numpy_helper

MODELS = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["reader", "detector"])
def test_no_sum_of_two_products_overflows_sixteen_bits(name):
    graph = onnx.load(MODELS / f"{name}.onnx").graph
    weights = [numpy_helper.to_array(t) for t in graph.initializer if t.data_type == onnx.TensorProto.INT8]
    largest = [abs(w.astype(int)).max() for w in weights if w.ndim > 1]
    assert largest and 2 * 255 * max(largest) < 2 ** 15
