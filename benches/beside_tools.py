#!/usr/bin/env python3
"""Each codec beside its library's own tool, in turns in one run, on at least 200 MB of this machine's data.

    cargo build --release -p precursor-compression --example cold
    cargo install --root TOOLS brotli szip
    benches/beside_tools.py DIRECTORY [--tools TOOLS] [--turns 3] [CODEC ...]

DIRECTORY is best one in memory: tools that have no benchmark of their own read their input there, and their
time has that and their start in it. The slow levels take a part of the data, evenly from all kinds. `bare` is the
library by itself, as its own benchmarks call it, in the same chunks: gzip's and snappy's have no tool that does
without files. Prints the best of all turns, MB/s; the share must reach 0.90.
"""

import argparse
import json
import os
import re
import subprocess
import time
from pathlib import Path

from cold import COLD, gather

CHUNK = 64 << 10
WHOLE = 1 << 30
# Seconds of `zstd -b` and `lz4 -b`, and of ours beside them.
SECONDS = 1
SLOW_BYTES = 16 << 20
VERY_SLOW_BYTES = 4 << 20

# Codec, our level, the tool and its level, bytes in a chunk, bytes of the data (0: all).
ROWS = [
    ("zstd", 1, "zstd", 1, CHUNK, 0),
    ("zstd", 3, "zstd", 3, CHUNK, 0),
    ("zstd", 9, "zstd", 9, CHUNK, 0),
    ("zstd", 19, "zstd", 19, CHUNK, VERY_SLOW_BYTES),
    ("lz4", 9, "lz4", 1, CHUNK, 0),
    ("lz4", 4, "lz4", 4, CHUNK, 0),
    ("lz4", 12, "lz4", 12, CHUNK, SLOW_BYTES),
    ("lz4", 12, "bare", 12, CHUNK, SLOW_BYTES),
    ("snappy", 0, "szip", 0, WHOLE, 0),
    ("snappy", 0, "bare", 0, 32 << 10, 0),
    ("gzip", 1, "gzip", 1, WHOLE, 0),
    ("gzip", 6, "gzip", 6, WHOLE, SLOW_BYTES),
    ("gzip", 9, "gzip", 9, WHOLE, SLOW_BYTES),
    ("gzip", 1, "bare", 1, CHUNK, 0),
    ("gzip", 6, "bare", 6, CHUNK, SLOW_BYTES),
    ("gzip", 9, "bare", 9, CHUNK, SLOW_BYTES),
    ("brotli", 4, "rust", 4, WHOLE, 0),
    ("brotli", 6, "rust", 6, WHOLE, 0),
    ("brotli", 9, "rust", 9, WHOLE, SLOW_BYTES),
    ("brotli", 11, "rust", 11, WHOLE, VERY_SLOW_BYTES),
    ("brotli", 6, "brotli", 6, WHOLE, SLOW_BYTES),
    ("brotli", 9, "brotli", 9, WHOLE, SLOW_BYTES),
    ("lzma", 1, "xz", 1, WHOLE, SLOW_BYTES),
    ("lzma", 6, "xz", 6, WHOLE, SLOW_BYTES),
]


def our(path, chunk, codec, level, seconds):
    words = [COLD, path, str(chunk), str(seconds), codec, str(level)]
    answer = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return answer["compress"], answer["decompress"]


def benchmark(tool, path, level, chunk):
    """What `zstd -b` and `lz4 -b` say: MB/s of compression and decompression."""
    out = subprocess.run([tool, f"-b{level}", f"-i{SECONDS}", f"-B{chunk}", path], capture_output=True, text=True)
    # The line is written anew as the measurement goes on.
    rates = re.findall(r"([0-9.]+) MB/s\s*,\s*([0-9.]+) MB/s", out.stdout + out.stderr)
    return float(rates[-1][0]), float(rates[-1][1])


def rate(command, plain_bytes):
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return plain_bytes / 1e6 / (time.perf_counter() - begun)


def timed(tool, path, level, tools):
    """MB/s of a tool that reads and writes files, its start in it."""
    packed, plain = path.with_suffix(".packed"), path.with_suffix(".plain")
    size = path.stat().st_size
    if tool == "rust":
        program = tools / "bin/brotli"
        # Told the length as ours is: from 1 MiB on it takes other tables for that, slower and better.
        made = rate([program, "-c", f"-q{level}", "-w22", f"-s{size}", path, packed], size)
        back = rate([program, packed, plain], size)
    else:
        words = {
            "gzip": ("gzip", f"-{level}"),
            "xz": ("xz", f"-{level}", "--check=none", "--threads=1"),
            "brotli": ("brotli", f"--quality={level}", "--lgwin=22", "--stdout", path),
            "szip": (tools / "bin/szip",),
        }[tool]
        made = through([*words], path, packed, size)
        back = through([words[0], "-d"], packed, plain, size)
    assert plain.stat().st_size == size
    packed.unlink()
    plain.unlink()
    return made, back


def through(command, source, target, plain_bytes):
    with open(source, "rb") as read, open(target, "wb") as write:
        begun = time.perf_counter()
        subprocess.run(command, stdin=read, stdout=write, check=True)
        return plain_bytes / 1e6 / (time.perf_counter() - begun)


def measure(row, directory, options):
    codec, level, tool, tool_level, chunk, most = row
    path = directory / (f"part-{most}" if most else "all")
    best = [[0.0, 0.0], [0.0, 0.0]]
    for _ in range(options.turns):
        if tool == "bare":
            theirs = our(path, chunk, f"bare-{codec}", tool_level, 0)
        elif tool in ("zstd", "lz4"):
            theirs = benchmark(tool, path, tool_level, chunk)
        else:
            theirs = timed(tool, path, tool_level, options.tools)
        ours = our(path, chunk, codec, level, SECONDS if tool in ("zstd", "lz4") else 0)
        for side, got in zip(best, (theirs, ours)):
            side[:] = map(max, side, got)
    theirs, ours = best
    share = [mine / other for mine, other in zip(ours, theirs)]
    named = {"rust": "brotli (Rust)", "brotli": "brotli (C)", "bare": f"{codec}, the library bare"}.get(tool, tool)
    inside = "at once" if chunk == WHOLE else f"{chunk >> 10} KiB"
    print(f"| {codec} {level} | {named} {tool_level or ''} | {inside}, {path.stat().st_size / 1e6:.0f} MB "
          f"| {theirs[0]:.0f}, {theirs[1]:.0f} | {ours[0]:.0f}, {ours[1]:.0f} | {share[0]:.2f}, {share[1]:.2f} |", flush=True)


def lay(directory):
    """All of the data in one file, and parts of it."""
    if (directory / "all").exists():
        return
    sizes = gather(directory)
    content = {name: (directory / name).read_bytes() for name in sizes}
    (directory / "all").write_bytes(b"".join(content.values()))
    for most in {row[5] for row in ROWS if row[5]}:
        each = most // len(content)
        part = b"".join(kind[len(kind) // 2:][:each] for kind in content.values())
        (directory / f"part-{most}").write_bytes(part)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--tools", type=Path, default=Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("codecs", nargs="*")
    options = parser.parse_intermixed_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    lay(options.directory)
    size = (options.directory / "all").stat().st_size
    assert size >= 200e6, f"only {size} bytes were found"
    print(f"{size / 1e6:.0f} MB\n\n| codec | tool | in chunks of | tool, MB/s | ours, MB/s | share |\n|---|---|---|---|---|---|")
    for row in ROWS:
        if not options.codecs or row[0] in options.codecs:
            measure(row, options.directory, options)


if __name__ == "__main__":
    main()
