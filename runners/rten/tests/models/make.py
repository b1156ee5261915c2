"""Writes the models beside this file. Needs the Python package onnx (made with 1.23.2, opset 17).

tiny.onnx     y = relu(conv(x)) summed over space, plus a bias; batch is dynamic: a network in 335 bytes
unknown.onnx  one node with an operator that no runner has
"""
import pathlib

from onnx import TensorProto, checker, helper, numpy_helper, save
import numpy as np

HERE = pathlib.Path(__file__).parent


def info(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write(name, nodes, inputs, outputs, constants=(), domain=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants])
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="convwise-tests")
    if not domain:
        checker.check_model(model, full_check=True)
    save(model, HERE / f"{name}.onnx")


weight = np.array([1, -1, 0.5, 2], np.float32).reshape(2, 2, 1, 1)
write(
    "tiny",
    [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", strides=[1, 1], dilations=[1, 1], pads=[0] * 4),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("ReduceSum", ["r", "axes"], ["s"], name="sum", keepdims=0),
        helper.make_node("Add", ["s", "b"], ["y"], name="add"),
    ],
    [info("x", ["N", 2, 2, 2])],
    [info("y", ["N", 2])],
    [("w", weight), ("axes", np.array([2, 3], np.int64)), ("b", np.array([0.25, -0.25], np.float32))],
)
write(
    "unknown",
    [helper.make_node("Frobnicate", ["x"], ["y"], name="head/frob", domain="org.example")],
    [info("x", [1, 4])],
    [info("y", [1, 4])],
    domain="org.example",
)
