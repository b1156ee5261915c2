"""convwise's ONNX files against the references' own, in ONNX Runtime on the CPU: same weights, one process, in turns.

    python benches/exports/compare.py FOLDER [--threads 1] [--pairs 40] [--only NAME]

FOLDER is what `references.py` wrote; needs onnxruntime, numpy and, for its version alone, onnx. First the outputs must
agree. Then every file has two sessions, and every round runs all of them forwards and backwards, so that a machine
that slows down slows all alike. Prints, per file of the reference: the medians, their ratio (below 1 convwise's file
is faster), and the median ratio of times taken in the same round, with its bootstrap interval (95 %). The last line of
a network is the same for convwise's file against itself: differences within that are none.
"""

import argparse
import importlib.metadata
import itertools
import pathlib
import platform
import time

import numpy as np
import onnxruntime

TOLERANCE = 1e-3  # of the largest value
WARM_UP = 3
RESAMPLES = 4000
CLOCKS = {"wall": time.perf_counter_ns, "processor": time.thread_time_ns}


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feed(session):
    """Random values under the name that this file gives its input."""
    (given,) = session.get_inputs()
    values = np.random.default_rng(0).standard_normal(given.shape, dtype=np.float32)
    return {given.name: values}


def check_agreement(name, ours, theirs):
    """Every output of the reference is among ours."""
    have = ours.run(None, feed(ours))
    for wanted in theirs.run(None, feed(theirs)):
        apart = [np.abs(wanted - x).max() / np.abs(wanted).max() for x in have if x.shape == wanted.shape]
        if min(apart, default=np.inf) > TOLERANCE:
            raise SystemExit(f"{name}: no output is like the reference's of shape {wanted.shape}")


def milliseconds(session, inputs, clock):
    begin = clock()
    session.run(None, inputs)
    return (clock() - begin) / 1e6


def in_turns(sessions, pairs, seconds, clock):
    """Times of every way: its first session's on the way forwards, its second one's on the way back."""
    inputs = {way: feed(both[0]) for way, both in sessions.items()}
    ways = list(sessions)
    times = {way: ([], []) for way in ways}
    start = None
    for count in itertools.count(-WARM_UP):
        if count == 0:
            start = time.perf_counter()
        if count >= pairs / 2 and time.perf_counter() - start > seconds:
            return {way: np.array(halves) for way, halves in times.items()}
        for half, order in enumerate((ways, ways[::-1])):
            for way in order:
                taken = milliseconds(sessions[way][half], inputs[way], clock)
                if count >= 0:
                    times[way][half].append(taken)
        ways = ways[1:] + ways[:1]


def interval(ratios):
    """95 % of the medians of samples drawn from these ratios."""
    picks = np.random.default_rng(0).integers(len(ratios), size=(RESAMPLES, len(ratios)))
    return np.percentile(np.median(ratios[picks], axis=1), [2.5, 97.5])


def line(name, way, ours, theirs):
    ratios = (ours / theirs).ravel()
    low, high = interval(ratios)
    a, b = np.median(ours), np.median(theirs)
    paired = f"{np.median(ratios):.3f} [{low:.3f}, {high:.3f}]"
    print(f"{name:30} {way:12} {a:9.2f} {b:9.2f} {a / b:7.3f}  {paired:20} {ratios.size:5}", flush=True)


def compare(folder, name, arguments):
    files = {path.suffixes[-2][1:]: path for path in sorted(folder.glob(f"{name}.*.onnx"))}
    sessions = {way: [session(path, arguments.threads) for _ in range(2)] for way, path in files.items()}
    for way, (first, _) in sessions.items():
        if way != "ours":
            check_agreement(f"{name}.{way}", sessions["ours"][0], first)
    times = in_turns(sessions, arguments.pairs, arguments.seconds, CLOCKS[arguments.clock])
    for way in files:
        if way != "ours":
            line(name, way, times["ours"], times[way])
    line(name, "ours again", times["ours"][0], times["ours"][1])


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(": ")[1] for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def versions():
    names = ["onnxruntime", "torch", "torchvision", "ultralytics", "onnxslim", "segmentation_models_pytorch", "onnx"]
    for name in names:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=40, help="at least this many, and")
    parser.add_argument("--seconds", type=float, default=20, help="at least this long")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="processor: not the time that others took")
    parser.add_argument("--only", action="append", help="a network (repeatable)")
    arguments = parser.parse_args()
    if arguments.threads > 1 and arguments.clock == "processor":
        parser.error("the processor's time is that of one thread; take --clock wall with more")
    print(f"{processor()}, {arguments.threads} thread(s), {arguments.clock} time; {', '.join(versions())}")
    print(f"{'network':30} {'reference':12} {'ours ms':>9} {'its ms':>9} {'ratio':>7}  {'ratio of pairs':20} {'pairs':>5}")
    names = sorted(path.name.removesuffix(".ours.onnx") for path in arguments.folder.glob("*.ours.onnx"))
    for name in arguments.only or names:
        compare(arguments.folder, name, arguments)


main()
