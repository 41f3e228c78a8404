#!/usr/bin/env python3
"""Cold compression on real data of this machine, beside the libraries' own tools.

    cargo build --release -p precursor-compression --example cold
    benches/cold.py [DIRECTORY]

Gathers at least 200 MB (source, text, JSON, machine code) into DIRECTORY, measures ratio and MB/s of each
codec in chunks of 64 KiB (lzma the whole at once) beside the same codec and level by `zstd -b`, `lz4 -b`, `brotli`
(a file for each chunk) and `xz` in the same run, and of zstd with a dictionary on small records. Needs these four tools.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLD = ROOT / "target/release/examples/cold"
CHUNK = 65536
SECONDS = 2
# One of the tools' own measurements, and what it is compared on.
PART_BYTES = 16 << 20
RECORDS = ["records: json", "records: logs", "records: source lines"]


def found(places, names, sizes, most):
    """The content of files on this machine, in order of their paths, up to `most` bytes."""
    terms = " -o ".join(f"-name '{name}'" for name in names)
    command = f"find {' '.join(places)} -xdev -type f \\( {terms} \\) {sizes} 2>/dev/null | sort"
    taken, size = [], 0
    for path in subprocess.run(command, shell=True, capture_output=True, text=True).stdout.splitlines():
        try:
            content = Path(path).read_bytes()
        except OSError:
            continue
        taken.append(content)
        size += len(content)
        if size >= most:
            break
    return taken


def records_of(documents, most):
    """Objects within JSON documents, each on a line of its own, as applications send them."""
    lines, size = [], 0

    def visit(value):
        nonlocal size
        if isinstance(value, dict):
            line = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            if len(line) <= 2000:
                if len(line) >= 80:
                    lines.append(line.encode())
                    size += len(line)
                return
        for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
            visit(inner)

    for document in documents:
        if size >= most:
            break
        try:
            visit(json.loads(document))
        except (ValueError, RecursionError):
            continue
    return lines


def gather(directory):
    home = str(Path.home())
    registry = f"{home}/.cargo/registry/src"
    documents = found([home, "/usr", str(ROOT)], ["*.json"], "-size +1k -size -3000k", 160 << 20)
    logs = found(["/var/log"], ["*.log", "*.log.1"], "-size +10k", 64 << 20)
    data = {
        "source": b"".join(found([registry], ["*.rs", "*.c", "*.h"], "-size +4k", 72 << 20)),
        "text": b"".join(found([registry, "/usr/share"], ["*.md", "*.txt", "*.html"], "", 48 << 20)),
        "json": b"".join(documents)[:64 << 20],
        "binaries": b"".join(found(["/usr/lib"], ["*.so*"], "-size +64k", 64 << 20))[:64 << 20],
    }
    records = {
        "records: json": b"\n".join(records_of(documents, 48 << 20)),
        "records: logs": b"".join(logs),
        "records: source lines": data["source"][:16 << 20],
    }
    for name, content in (data | records).items():
        (directory / name).write_bytes(content)
    return {name: len(content) for name, content in data.items()}


def ours(path, chunk, codec, level, dictionary=None, seconds=SECONDS):
    more = [str(dictionary)] if dictionary else []
    out = subprocess.run([COLD, path, str(chunk), str(seconds), codec, str(level), *more],
                         capture_output=True, text=True, check=True).stdout
    answer = json.loads(out)
    return answer | {"ratio": answer["before"] / answer["after"]}


def benchmark(tool, path, level, *more):
    """What `zstd -b` and `lz4 -b` say: MB/s of compression and decompression."""
    out = subprocess.run([tool, f"-b{level}", f"-i{SECONDS}", f"-B{CHUNK}", *more, path],
                         capture_output=True, text=True)
    # The line is written anew as the measurement goes on.
    rates = re.findall(r"([0-9.]+) MB/s\s*,\s*([0-9.]+) MB/s", out.stdout + out.stderr)
    return float(rates[-1][0]), float(rates[-1][1])


def timed(command, path=None):
    """Seconds of a tool that has no benchmark of its own: the best of several runs over the same bytes."""
    best = None
    for _ in range(3):
        begun = time.perf_counter()
        with open(path or os.devnull, "rb") as source:
            out = subprocess.run(command, stdin=source, capture_output=True, check=True).stdout
        best = min(best or 1e9, time.perf_counter() - begun)
    return out, best


def by_tool(codec, level, path, directory):
    plain = os.path.getsize(path)
    if codec in ("zstd", "lz4"):
        return benchmark(codec, path, level)
    if codec == "brotli":
        return plain / 1e6 / brotli(level, path, directory), plain / 1e6 / brotli(None, path, directory)
    packed, packing = timed(["xz", f"-{level}", "--check=none", "--threads=1", "-c"], path)
    small = directory / "packed"
    small.write_bytes(packed)
    _, unpacking = timed(["xz", "-d", "--threads=1", "-c"], small)
    return plain / 1e6 / packing, plain / 1e6 / unpacking


def brotli(level, path, directory):
    """Seconds of one call of the tool for all chunks, each a file: compressing, or without a level decompressing
    what was compressed before."""
    chunks = directory / "chunks"
    if level is None:
        files = sorted(chunks.glob("*.br"))
        return timed(["brotli", "--decompress", "--force", *files])[1]
    shutil.rmtree(chunks, ignore_errors=True)
    chunks.mkdir()
    content = path.read_bytes()
    files = []
    for at in range(0, len(content), CHUNK):
        files.append(chunks / f"{at:012}")
        files[-1].write_bytes(content[at:at + CHUNK])
    return timed(["brotli", f"--quality={level}", "--lgwin=22", "--force", *files])[1]


def in_chunks(directory, sizes):
    print("\n| data, in chunks of 64 KiB | codec | ratio | compress MB/s | decompress MB/s |\n|---|---|---|---|---|")
    for name in sizes:
        for codec, level in (("zstd", 3), ("zstd", 9), ("brotli", 6), ("lzma", 6)):
            part = directory / "part"
            # The slow ones on a part.
            most = PART_BYTES if codec in ("brotli", "lzma") else sizes[name]
            part.write_bytes((directory / name).read_bytes()[:most])
            got = ours(part, CHUNK, codec, level, seconds=0)
            print(f"| {name} | {codec} {level} | {got['ratio']:.2f} | {got['compress']:.0f} | {got['decompress']:.0f} |",
                  flush=True)


def with_dictionaries(directory):
    print("\n| small records | in each chunk | zstd 9 | zstd 9 with a dictionary |\n|---|---|---|---|")
    for chunk in ("lines", 4096, 16384, CHUNK):
        ratios = []
        for name in RECORDS:
            path, dictionary = directory / name, directory / "dictionary"
            subprocess.run([COLD, "train", path, dictionary], check=True)
            without = ours(path, chunk, "zstd", 9, seconds=0)
            with_it = ours(path, chunk, "zstd", 9, dictionary, seconds=0)
            content = path.read_bytes()
            each = len(content) / max(1, content.count(b"\n"))
            ratios.append(with_it["ratio"])
            what = "one record" if chunk == "lines" else f"{chunk} bytes"
            print(f"| {name}, {each:.0f} bytes each | {what} | {without['ratio']:.2f} | {with_it['ratio']:.2f} |",
                  flush=True)
        print(f"| mean | {what} | | {sum(ratios) / len(ratios):.2f} |")


def beside_tools(directory):
    print("\n| codec | tool, MB/s | ours, MB/s | share |\n|---|---|---|---|")
    part = directory / "part"
    part.write_bytes((directory / "json").read_bytes()[:PART_BYTES])
    for codec, level, tool_level in (("zstd", 3, 3), ("zstd", 9, 9), ("lz4", 9, 1), ("brotli", 6, 6), ("lzma", 6, 6)):
        chunk = PART_BYTES if codec == "lzma" else CHUNK
        tool = by_tool(codec, tool_level, part, directory)
        own = ours(part, chunk, codec, level)
        for what, theirs, mine in (("compress", tool[0], own["compress"]), ("decompress", tool[1], own["decompress"])):
            print(f"| {codec} {tool_level} {what} | {theirs:.0f} | {mine:.0f} | {mine / theirs:.2f} |", flush=True)


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="cold-bench-"))
    directory.mkdir(parents=True, exist_ok=True)
    sizes = gather(directory)
    print(f"Gathered: {sum(sizes.values()) / 1e6:.0f} MB: "
          + ", ".join(f"{name} {size / 1e6:.0f}" for name, size in sizes.items()))
    beside_tools(directory)
    in_chunks(directory, sizes)
    with_dictionaries(directory)


if __name__ == "__main__":
    main()
