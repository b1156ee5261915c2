#!/usr/bin/env python3
"""Writes pins.toml: downloads every wheel below through pip and notes sizes and SHA-256 of what is kept of it.

To raise a version, change it here and run `python3 runners/install/pins.py` (about 3 GB of downloads, thrown away).
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

TORCH = "2.13.0"
ORT = "1.31.1"
# CUDA 13 as torch's own requirements pin it; ONNX Runtime's extras `cuda` and `cudnn` ask for nothing narrower.
CUDART, CUPTI, CUBLAS, CUDNN = "13.0.96", "13.0.85", "13.1.1.3", "9.20.0.48"
CURAND, NVRTC = "10.4.0.35", "13.0.88"

CU13, LIB = "nvidia/cu13/lib/", "torch/lib/"


def wheel(package, version, tags, *members):
    return {"package": package, "version": version, "tags": tags, "members": members}


def torch_cpu(machine, *more):
    """libtorch_cpu names CUDA's runtime and its profiling library as needed, GPU or not."""
    names = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", *more]
    return [
        wheel("torch", TORCH, f"cp311-cp311-manylinux_2_28_{machine}", *(LIB + name for name in names)),
        wheel("nvidia-cuda-runtime", CUDART, f"py3-none-manylinux_2_17_{machine}", CU13 + "libcudart.so.13"),
        wheel("nvidia-cuda-cupti", CUPTI, f"py3-none-manylinux_2_25_{machine}", CU13 + "libcupti.so.13"),
    ]


def onnxruntime(tag, file):
    member = ("onnxruntime/capi/" + file, "libonnxruntime.so")
    return [wheel("onnxruntime", ORT, f"cp312-cp312-{tag}", member)]


# Left out: cuFFT (only for Fourier transforms), nvBLAS, the tools around CUPTI, the alternative NVRTC.
ONNXRUNTIME_GPU = [
    wheel("onnxruntime-gpu", ORT, "cp312-cp312-manylinux_2_28_x86_64",
          (f"onnxruntime/capi/libonnxruntime.so.{ORT}", "lib/libonnxruntime.so"),
          *(f"onnxruntime/capi/libonnxruntime_providers_{name}.so" for name in ("shared", "cuda", "tensorrt"))),
    wheel("nvidia-cuda-runtime", CUDART, "py3-none-manylinux_2_17_x86_64", CU13 + "libcudart.so.13"),
    wheel("nvidia-cublas", CUBLAS, "py3-none-manylinux_2_27_x86_64",
          CU13 + "libcublas.so.13", CU13 + "libcublasLt.so.13"),
    wheel("nvidia-cudnn-cu13", CUDNN, "py3-none-manylinux_2_27_x86_64",
          *(f"nvidia/cudnn/lib/libcudnn{part}.so.9" for part in (
              "", "_adv", "_cnn", "_engines_precompiled", "_engines_runtime_compiled", "_graph", "_heuristic", "_ops"))),
    wheel("nvidia-curand", CURAND, "py3-none-manylinux_2_27_x86_64", CU13 + "libcurand.so.10"),
    wheel("nvidia-cuda-nvrtc", NVRTC, "py3-none-manylinux_2_12_x86_64",
          CU13 + "libnvrtc.so.13", CU13 + "libnvrtc-builtins.so.13.0"),
]

# What wheels of torch carry beside it on 64-bit Arm.
ARM = ["libarm_compute.so", "libarm_compute_graph.so", "libgfortran.so.5", "libnvpl_blas_core.so.0",
       "libnvpl_blas_lp64_gomp.so.0", "libnvpl_lapack_core.so.0", "libnvpl_lapack_lp64_gomp.so.0"]

LIBRARIES = [
    {"name": "onnxruntime", "title": "ONNX Runtime", "version": ORT, "link": "libonnxruntime.so",
     "variable": "ORT_DYLIB_PATH", "platforms": {
         "linux/x86_64": onnxruntime("manylinux_2_28_x86_64", f"libonnxruntime.so.{ORT}"),
         "linux/aarch64": onnxruntime("manylinux_2_28_aarch64", f"libonnxruntime.so.{ORT}"),
         "macos/aarch64": onnxruntime("macosx_14_0_arm64", f"libonnxruntime.{ORT}.dylib"),
     }},
    {"name": "libtorch", "title": "libtorch", "version": TORCH, "link": "lib", "variable": "LIBTORCH", "platforms": {
        "linux/x86_64": torch_cpu("x86_64"),
        "linux/aarch64": torch_cpu("aarch64", *ARM),
        "macos/aarch64": [wheel("torch", TORCH, "cp311-cp311-macosx_14_0_arm64",
                                *(f"{LIB}{name}.dylib" for name in ("libtorch_cpu", "libc10", "libomp")))],
    }},
    {"name": "onnxruntime-gpu", "title": "ONNX Runtime for CUDA 13", "version": ORT, "link": "lib",
     "variable": "ORT_DYLIB_PATH", "platforms": {"linux/x86_64": ONNXRUNTIME_GPU}},
]

HEAD = """\
# The native libraries that `convwise runner install` can fetch; written by pins.py, which also says how to raise a version.
# A wheel is taken out of the user's own package index by its exact name and checked against `sha256`; the members listed
# here are kept, each checked against its own size and digest.
"""

TENSORRT = """
# What cannot be pinned, and where it is to be had.
[[elsewhere]]
name = "tensorrt"
why = "there is no digest to check a download of TensorRT by: the package index holds only a placeholder, tensorrt-cu13-libs, which fetches the libraries from NVIDIA when pip builds it"
ways = [
    "`python3 -m pip install --no-deps tensorrt-cu13-libs==10.16.1.11` in a virtual environment; it is found while that is active",
    "`apt-get install libnvinfer10 libnvinfer-plugin10 libnvonnxparsers10` from NVIDIA's repository; it is found by itself",
    "unpack NVIDIA's archive of TensorRT 10 for CUDA 13 and set TENSORRT_HOME to its folder",
]
then = "everything else that it needs comes with `convwise runner install onnxruntime-gpu`"
"""


def digest(stream):
    found = hashlib.sha256()
    while piece := stream.read(1 << 20):
        found.update(piece)
    return found.hexdigest()


def download(pin, folder):
    python, abi, platform = pin["tags"].split("-")
    version = python.removeprefix("cp") if python.startswith("cp") else "312"
    arguments = ["--python-version", f"3.{version[1:]}", "--implementation", "cp", "--abi", abi, "--platform", platform]
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *arguments,
                    "--dest", folder, f"{pin['package']}=={pin['version']}"], check=True)
    (file,) = pathlib.Path(folder).glob("*.whl")
    return file


def described(pin):
    with tempfile.TemporaryDirectory() as folder:
        file = download(pin, folder)
        with file.open("rb") as stream:
            found = digest(stream)
        yield "\n[[library.platform.wheel]]"
        yield f'package = "{pin["package"]}"\nversion = "{pin["version"]}"\nname = "{file.name}"'
        yield f'bytes = {file.stat().st_size}\nsha256 = "{found}"\nmember = ['
        with zipfile.ZipFile(file) as archive:
            for member in pin["members"]:
                path, to = member if isinstance(member, tuple) else (member, "lib/" + member.rsplit("/", 1)[1])
                with archive.open(path) as stream:
                    found = digest(stream)
                size = archive.getinfo(path).file_size
                yield f'    {{ path = "{path}", to = "{to}", bytes = {size}, sha256 = "{found}" }},'
        yield "]"


def lines():
    yield HEAD.rstrip()
    for library in LIBRARIES:
        yield "\n[[library]]"
        yield from (f'{key} = "{library[key]}"' for key in ("name", "title", "version", "link", "variable"))
        for platform, wheels in library["platforms"].items():
            yield f'\n[[library.platform]]\nname = "{platform}"'
            for pin in wheels:
                yield from described(pin)
    yield TENSORRT.rstrip()


if __name__ == "__main__":
    text = "\n".join(lines()) + "\n"
    pathlib.Path(__file__).with_name("pins.toml").write_text(text)
