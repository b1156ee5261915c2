#!/usr/bin/env python3
"""Write what `convwise arch verify` compares an architecture with: a fixture of your own PyTorch model.

    python fixture.py write my_model.py:MyNet --input 3x64x64 -o my_net.json
    python fixture.py write torchvision.models:resnet18 --input 3x224x224 -o resnet18.json
    python fixture.py write timm:create_model --args '["resnet50"]' --input 3x224x224 -o resnet50.json
    convwise arch verify my_net --fixture my_net.json

    python fixture.py weights my_net.json -o my_net.safetensors      # the fixture's weights as a file

No trained weights are involved. Every tensor of the state_dict is filled by a rule from its name, the input likewise;
convwise fills its own network by the same rule, so that equal outputs mean equal networks. A fixture holds the names,
shapes and roles of the tensors, the counts of parameters and multiply-accumulates, and samples of the outputs.

`write` needs torch and numpy (and safetensors for --safetensors), `weights` numpy and safetensors.

The rule (version 2). For the tensor called NAME, element i in row-major order:

    u = top 24 bits of splitmix64(fnv1a64(NAME) + i), as a fraction in [0, 1)

    role     value                               which tensors
    var      0.5 + u                             running_var
    norm     0.5 + u                             1-d ...weight
    mean     (2u - 1) / 10                       running_mean
    bias     (2u - 1) / 10                       ...bias
    scale    0.1 + u / 10                        layer_scale, gamma
    weight   (2u - 1) sqrt(3 / fan_in) 2^e       ...weight of 2 or more axes; fan_in: all extents but the first
    table    2u - 1                              embeddings, the rest
    keep     as the constructor made it          --keep PATTERN

computed in double precision and rounded once to single. The small integer e is chosen a layer, on the fixture's own
input, so that the layer's output without its bias is near 1: without it, deep networks vanish or overflow and a wrong
layer would go unseen. Multiplying by a power of two changes no rounding.
"""
import argparse
import importlib
import importlib.util
import json
import math
import re
import sys

import numpy as np

MASK = 2**64 - 1
LAYER_SCALES = {"layer_scale", "layer_scale_parameter", "gamma"}
SAMPLES = 64


# --- the rule -------------------------------------------------------------------------------------------------------


def fnv1a64(text):
    """FNV-1a of 64 bits of the UTF-8 bytes of a name."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def splitmix64(name, count):
    """splitmix64(fnv1a64(name) + i) for i below count, as an array of uint64."""
    u64 = np.uint64
    with np.errstate(over="ignore"):
        z = u64(fnv1a64(name)) + np.arange(count, dtype=u64) + u64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> u64(30))) * u64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> u64(27))) * u64(0x94D049BB133111EB)
        return z ^ (z >> u64(31))


def unit(name, count):
    """Doubles in [0, 1)."""
    return (splitmix64(name, count) >> np.uint64(40)).astype(np.float64) / 2.0**24


def role_of(name, shape):
    """What the rule takes a tensor for; None for counters, which are no weights."""
    last = name.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return None
    if last == "running_var":
        return "var"
    if last == "running_mean":
        return "mean"
    if last.endswith("bias"):
        return "bias"
    if last in LAYER_SCALES:
        return "scale"
    if last.endswith("weight"):
        return "norm" if len(shape) == 1 else "weight"
    return "table"


def values(name, shape, role, exponent=0):
    """The tensor as float32."""
    u = unit(name, math.prod(shape)).reshape(shape)
    if role in ("var", "norm"):
        filled = 0.5 + u
    elif role == "scale":
        filled = 0.1 + 0.1 * u
    elif role in ("mean", "bias"):
        filled = (2 * u - 1) * 0.1
    elif role == "table":
        filled = 2 * u - 1
    elif role == "weight":
        filled = (2 * u - 1) * math.sqrt(3 / math.prod(shape[1:])) * 2.0**exponent
    else:
        raise ValueError(f"the role {role!r} has no rule")
    return filled.astype(np.float32)


def input_values(shape):
    """The network's input: uniform in [-1, 1), by the name `input`."""
    return (2 * unit("input", math.prod(shape)) - 1).astype(np.float32).reshape(shape)


# --- the model ------------------------------------------------------------------------------------------------------


def load(target, args, kwargs):
    """The model that MODULE:CALLABLE or FILE.py:CALLABLE makes."""
    module, _, name = target.partition(":")
    if not name:
        sys.exit(f"fixture.py: write MODULE:CALLABLE or FILE.py:CALLABLE, not {target!r}")
    if module.endswith(".py"):
        spec = importlib.util.spec_from_file_location("model_under_test", module)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    else:
        loaded = importlib.import_module(module)
    return getattr(loaded, name)(*args, **kwargs)


def fill(model, keep, exponents):
    """Fills the state_dict in place; answers its rows [name, shape, role]."""
    import torch

    rows = []
    tables = {f"{name}.weight" for name, m in model.named_modules() if isinstance(m, torch.nn.Embedding)}
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            shape = list(tensor.shape)
            role = "table" if name in tables else role_of(name, shape)
            role = "keep" if any(re.fullmatch(p, name) for p in keep) else role
            if role is None:
                continue
            if role != "keep":
                tensor.copy_(torch.from_numpy(values(name, shape, role, exponents.get(name, 0))))
            rows.append([name, shape, role])
    return rows


def calibrate(model, image, rows):
    """The exponents that bring each layer's output near 1, chosen in the order in which the layers run."""
    import torch

    weights = {name for name, _, role in rows if role == "weight"}
    exponents = {}

    def rescale(key):
        def hook(layer, _inputs, output):
            if key in exponents:
                return None
            bias = 0
            if layer.bias is not None:
                bias = layer.bias.view(-1, *(1,) * (layer.weight.ndim - 2))
            rms = float((output - bias).double().pow(2).mean().sqrt())
            exponents[key] = max(-12, min(12, -round(math.log2(rms)))) if rms > 0 else 0
            power = 2.0 ** exponents[key]
            layer.weight.mul_(power)
            return (output - bias) * power + bias

        return hook

    layers = [(f"{name}.weight", m) for name, m in model.named_modules() if hasattr(m, "bias")]
    hooks = [m.register_forward_hook(rescale(key)) for key, m in layers if key in weights]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    return {key: e for key, e in exponents.items() if e}


def outputs_of(model, image, names):
    """[(name, tensor)] of one run. A dictionary's keys are its names."""
    import torch

    with torch.no_grad():
        answer = model(image)
    if hasattr(answer, "items"):
        return list(answer.items())
    answers = list(answer) if isinstance(answer, (tuple, list)) else [answer]
    if len(answers) != len(names):
        sys.exit(f"fixture.py: the model has {len(answers)} outputs; name each with --outputs a,b,...")
    return list(zip(names, answers))


def multiply_accumulates(model, image):
    """Half of what torch.utils.flop_counter counts: convolutions, linear layers and matrix products."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # The CPU's fused attention is not counted, its matrix products one by one are.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(image)
    return counter.get_total_flops() // 2


def sample(name, tensor):
    """An output's samples at places that its name decides."""
    flat = tensor.detach().cpu().double().flatten().numpy()
    places = []
    if flat.size <= SAMPLES:
        places = list(range(flat.size))
    else:
        for place in splitmix64(f"sample:{name}", 100 * SAMPLES) % np.uint64(flat.size):
            if int(place) not in places:
                places.append(int(place))
            if len(places) == SAMPLES:
                break
    return {
        "name": name,
        "shape": list(tensor.shape),
        "min": float(flat.min()),
        "max": float(flat.max()),
        "indices": places,
        "values": [float(flat[place]) for place in places],
    }


def rounding(single, double):
    """The largest relative error that single precision alone makes: what no implementation can avoid."""
    worst = 0.0
    for (_, a), (_, b) in zip(single, double):
        scale = float(b.abs().max())
        worst = max(worst, float((a.double() - b).abs().max()) / scale if scale else 0.0)
    return worst


def write(options):
    """Builds, fills and runs a model, and writes its fixture."""
    import torch

    torch.set_grad_enabled(False)
    model = load(options.model, json.loads(options.args), json.loads(options.kwargs)).eval()
    shape = [1, *(int(side) for side in options.input.split("x"))]
    image = torch.from_numpy(input_values(shape))
    names = options.outputs.split(",")

    rows = fill(model, options.keep, {})
    exponents = calibrate(model, image, rows)
    fill(model, options.keep, exponents)
    single = outputs_of(model, image, names)
    macs = multiply_accumulates(model, image)
    if options.safetensors:
        from safetensors.torch import save_file

        save_file({n: t.contiguous() for n, t in model.state_dict().items()}, options.safetensors)
    kept = {n: model.state_dict()[n].flatten().tolist() for n, _, role in rows if role == "keep"}
    params = sum(p.numel() for p in model.parameters())
    error = rounding(single, outputs_of(model.double(), image.double(), names))

    fixture = {
        "id": options.id or options.output.rsplit("/", 1)[-1].removesuffix(".json"),
        "reference": options.model,
        "fill": "version 2",
        "inputs": [{"name": "input", "shape": shape}],
        "params": params,
        "macs": macs,
        "keep_values": kept,
        "outputs": [sample(name, tensor) for name, tensor in single],
        "checks": {"double_precision": error, "suggested_tolerance_over_max": options.tolerance or max(2e-5, 20 * error)},
        "tensors": [row + [exponents[row[0]]] if row[0] in exponents else row for row in rows],
    }
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(dump(fixture))


def dump(fixture):
    """JSON with one tensor and one output a line, so that two fixtures can be compared by eye."""

    def form(value):
        if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
            lines = (json.dumps(item, separators=(",", ":")) for item in value)
            return "[\n" + ",\n".join(lines) + "\n]"
        return json.dumps(value)

    return "{\n" + ",\n".join(f"{json.dumps(key)}: {form(value)}" for key, value in fixture.items()) + "\n}\n"


def weights(options):
    """Writes the weights of a fixture as a safetensors file."""
    from safetensors.numpy import save_file

    with open(options.fixture, encoding="utf-8") as file:
        fixture = json.load(file)
    renamed = {}
    if options.names:
        with open(options.names, encoding="utf-8") as file:
            renamed = {ours: (theirs, shape) for theirs, ours, shape in json.load(file)["tensors"]}
    tensors = {}
    for name, shape, role, *exponent in fixture["tensors"]:
        if role == "keep":
            filled = np.array(fixture["keep_values"][name], dtype=np.float32).reshape(shape)
        else:
            filled = values(name, shape, role, *exponent)
        other, other_shape = renamed.get(name, (name, shape))
        tensors[other] = np.ascontiguousarray(filled.reshape(other_shape))
    save_file(tensors, options.output)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="fixture.py"
    )
    commands = parser.add_subparsers(dest="command", required=True)

    w = commands.add_parser("write", help="write the fixture of a PyTorch model")
    w.add_argument("model", help="MODULE:CALLABLE or FILE.py:CALLABLE that makes the model")
    w.add_argument("--args", default="[]", help="its positional arguments, as a JSON list")
    w.add_argument("--kwargs", default="{}", help="its keyword arguments, as a JSON object")
    w.add_argument("--input", required=True, help="channels, height and width: 3x224x224")
    w.add_argument("--outputs", default="logits", help="names of the outputs, as in the graph script [logits]")
    w.add_argument("--keep", action="append", default=[], help="pattern of names that are constants, not weights")
    w.add_argument("--tolerance", type=float, help="largest difference that counts as equal, of the largest value")
    w.add_argument("--id", help="name of the architecture [the file's name]")
    w.add_argument("--safetensors", help="also write the filled weights here, through the model's own state_dict")
    w.add_argument("-o", "--output", required=True)
    w.set_defaults(run=write)

    s = commands.add_parser("weights", help="write the weights of a fixture as safetensors")
    s.add_argument("fixture")
    s.add_argument("--names", help='JSON {"tensors": [[their name, our name, their shape], ...]}: write under those names')
    s.add_argument("-o", "--output", required=True)
    s.set_defaults(run=weights)

    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
