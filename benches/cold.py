#!/usr/bin/env python3
"""Cold compression on real data of this machine.

    cargo build --release -p precursor-compression --example cold
    benches/cold.py [DIRECTORY]

Gathers at least 200 MB (source, text, JSON, machine code) into DIRECTORY, measures ratio and MB/s of each codec in
chunks of 64 KiB, and of zstd with a dictionary on small records. beside_tools.py compares with the libraries' own tools.
"""

import json
import os
import subprocess
import sys
import tempfile
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


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="cold-bench-"))
    directory.mkdir(parents=True, exist_ok=True)
    sizes = gather(directory)
    print(f"Gathered: {sum(sizes.values()) / 1e6:.0f} MB: "
          + ", ".join(f"{name} {size / 1e6:.0f}" for name, size in sizes.items()))
    in_chunks(directory, sizes)
    with_dictionaries(directory)


if __name__ == "__main__":
    main()
