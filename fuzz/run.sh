#!/usr/bin/env bash
# Fuzzes every target for so many seconds each (20 if not said), from the seeds. Needs neither cargo-fuzz nor nightly Rust:
# coverage comes from flags that stable compilers take. `cargo fuzz run rules` works as well where it is installed.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
target=$(rustc -vV | sed -n 's/^host: //p')
out=$PWD/../target/fuzz

flags="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1"
for what in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=" -Cllvm-args=-sanitizer-coverage-$what"
done
RUSTFLAGS=$flags cargo build --quiet --release --locked --target "$target" --target-dir "$out"

for name in rules request; do
    echo "=== $name, $seconds s"
    mkdir -p "$out/corpus/$name" "$out/found"
    # New inputs go to the first folder; the shipped rules are seeds too.
    seeds=("$out/corpus/$name" "seeds/$name")
    [ "$name" = rules ] && seeds+=(../rules)
    "$out/$target/release/$name" "${seeds[@]}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
        -max_len=16384 -dict="seeds/$name.dict" -artifact_prefix="$out/found/$name-" -print_final_stats=1 -verbosity=0 -close_fd_mask=1
done
