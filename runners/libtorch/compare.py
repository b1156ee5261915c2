"""This runner against PyTorch eager, interleaved: eager, ours, ours, eager, round after round.

    cargo build --release --example latency
    convwise export resnet50 -o resnet50.onnx         # and mobilenet_v3_large, convnext_tiny
    python compare.py target/release/examples/latency FOLDER_WITH_MODELS [ROUNDS [option=value...]]

Needs torch 2.13 and torchvision. Prints, per network and number of threads, the median ratio of times over all rounds
with the smallest and largest; below 1 this runner is faster.
"""

import statistics
import subprocess
import sys

NETWORKS = ["resnet50", "mobilenet_v3_large", "convnext_tiny"]
SECONDS = 3.0
EAGER = """
import sys, time, statistics, torch, torchvision
name, threads, seconds, layout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
layout = torch.channels_last if layout == "channels-last" else torch.contiguous_format
model = getattr(torchvision.models, name)(weights=None).eval().to(memory_format=layout)
image = torch.full((1, 3, 224, 224), 0.5).to(memory_format=layout)
with torch.inference_mode():
    for _ in range(5):
        model(image)
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds:
        begin = time.perf_counter_ns()
        model(image)
        times.append(time.perf_counter_ns() - begin)
print(statistics.median(times))
"""


def run(command):
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    latency, models = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    options = sys.argv[4:]
    for name in NETWORKS:
        for threads in (1, 2):
            for layout in ("contiguous", "channels-last"):
                eager = [sys.executable, "-c", EAGER, name, str(threads), str(SECONDS), layout]
                ours = [latency, f"{models}/{name}.onnx", str(SECONDS), f"threads={threads}", *options]
                pairs = []
                for _ in range(rounds):
                    times = [run(command) for command in (eager, ours, ours, eager)]
                    pairs += [(times[1], times[0]), (times[2], times[3])]
                ratios = [a / b for a, b in pairs]
                print(
                    f"{name} {threads} thread(s), eager {layout}: "
                    f"{statistics.median(a for a, _ in pairs) / 1e6:.1f} ms to "
                    f"{statistics.median(b for _, b in pairs) / 1e6:.1f} ms, "
                    f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
                    flush=True,
                )


main()
