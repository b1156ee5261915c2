"""Write five networks as ONNX files, by the packages that publish them and by convwise, with the same weights.

    pip install torch==2.13.0 torchvision==0.28.0 ultralytics==8.4.190 segmentation_models_pytorch==0.6.0 \\
        onnx onnxscript onnxslim safetensors onnxruntime==1.31.1
    git clone https://github.com/CoinCheung/BiSeNet && git -C BiSeNet checkout 6b4b67a
    python benches/exports/references.py FOLDER --convwise target/release/convwise --bisenet BiSeNet

Files go to FOLDER: NAME.ours.onnx, and NAME.WAY.onnx for every way the package or `torch.onnx` has. No trained weights
are involved: they are random, and batch statistics come from one pass over random images, so that no layer's values
vanish. `compare.py` compares the files.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_OFFLINE", "true")

import safetensors.torch
import torch
import torch.utils.model_zoo

OPSET = 17  # convwise's


class RawDetector(torch.nn.Module):
    """A detector of torchvision without the scaling of its images and without the choice of its boxes."""

    def __init__(self, detector):
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, image):
        outputs = self.head(list(self.backbone(image).values()))
        return outputs["bbox_regression"], outputs["cls_logits"]


class Values(torch.nn.Module):
    """A segmentation network of torchvision, its dictionary of outputs as a tuple."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return tuple(self.network(image).values())


# --- the networks: what is exported, what has the weights, the input's rows and columns ------------------------------


def ssdlite(_):
    import torchvision

    detector = torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    return RawDetector(detector), detector, (320, 320)


def deeplabv3(_):
    import torchvision

    network = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=True)
    return Values(network), network, (520, 520)


def unet(_):
    import segmentation_models_pytorch

    network = segmentation_models_pytorch.Unet(encoder_name="resnet34", encoder_weights=None, classes=21)
    return network, network, (512, 512)


def bisenetv2(arguments):
    sys.path.insert(0, str(arguments.bisenet))
    torch.utils.model_zoo.load_url = lambda *_, **__: {}  # its constructor fetches trained weights
    from lib.models.bisenetv2 import BiSeNetV2

    network = BiSeNetV2(19, aux_mode="eval")
    return network, network, (1024, 2048)


NETWORKS = {
    "ssdlite320_mobilenet_v3_large": ssdlite,
    "deeplabv3_resnet50": deeplabv3,
    "unet_resnet34": unet,
    "bisenetv2": bisenetv2,
}


# --- weights ---------------------------------------------------------------------------------------------------------


def settle(network, size):
    """Batch statistics of random images, so that values keep their size through the layers."""
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        network.train()(torch.randn(2, 3, *size))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return network.eval()


def save_weights(network, path):
    state = network.state_dict()
    kept = {name: value.contiguous() for name, value in state.items() if not name.endswith("num_batches_tracked")}
    safetensors.torch.save_file(kept, path)


# --- files -----------------------------------------------------------------------------------------------------------


def ours(arguments, name, weights):
    out = arguments.folder / f"{name}.ours.onnx"
    subprocess.run([arguments.convwise, "export", name, "-o", out, "--weights", weights], check=True)


def theirs(arguments, name, network, size):
    """By both exporters of torch, the new one with its own operator set."""
    image = (torch.randn(1, 3, *size),)
    for way, options in {"script": {"dynamo": False, "opset_version": OPSET}, "dynamo": {"dynamo": True}}.items():
        out = arguments.folder / f"{name}.{way}.onnx"
        if way == "dynamo":
            options["external_data"] = False
        torch.onnx.export(network, image, out, **options)


def yolov8n(arguments):
    """By the package's own `export`, which fuses, exports by torch and simplifies."""
    from ultralytics import YOLO

    name = "yolov8n"
    yolo = YOLO(f"{name}.yaml")
    settle(yolo.model, (256, 256))
    weights = arguments.folder / f"{name}.safetensors"
    save_weights(yolo.model, weights)
    shutil.move(yolo.export(format="onnx", imgsz=640), arguments.folder / f"{name}.ultralytics.onnx")
    ours(arguments, name, weights)


def torch_network(arguments, name):
    exported, whole, size = NETWORKS[name](arguments)
    settle(exported, (256, 256))
    whole.eval()
    weights = arguments.folder / f"{name}.safetensors"
    save_weights(whole, weights)
    theirs(arguments, name, exported, size)
    ours(arguments, name, weights)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--convwise", default="convwise")
    parser.add_argument("--bisenet", type=pathlib.Path, default="BiSeNet", help="a clone of CoinCheung/BiSeNet")
    parser.add_argument("--only", action="append", help="a network (repeatable)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.only or ["yolov8n", *NETWORKS]:
        torch.manual_seed(0)
        if name == "yolov8n":
            yolov8n(arguments)
        else:
            torch_network(arguments, name)


main()
