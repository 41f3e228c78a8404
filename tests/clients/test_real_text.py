"""At least 200 MB of real text from this machine, written by one client and read by another,
compared by hash and order."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from drivers import ROOT
from records import Record

BYTES_MIN = 200_000_000
FILE_BYTES_MAX = 900_000
CORPUS = ROOT / ".cache/real-text"


def roots():
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True)
    return [Path("/usr/include"), Path("/usr/share/doc"), Path("/usr/share/perl"),
            Path("/usr/lib/python3"), cargo / "registry/src", Path("/usr/share"),
            Path(sysroot.stdout.strip() or "/usr/lib") / "share/doc", Path("/usr/lib")]


def text_files():
    """Readable UTF-8 text files of a bounded size, in an order that the machine's files decide."""
    for root in roots():
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    if path.is_symlink() or not 0 < path.stat().st_size <= FILE_BYTES_MAX:
                        continue
                    data = path.read_bytes()
                    data.decode()
                except (OSError, UnicodeDecodeError):
                    continue
                if b"\0" not in data:
                    yield path, data


@pytest.fixture(scope="module")
def corpus():
    """The text as one file, and the paths it was gathered from with their hashes."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    whole, files, size = CORPUS / "text", [], 0
    with open(whole, "wb") as out:
        for path, data in text_files():
            out.write(data)
            files.append((path, hashlib.sha256(data).digest()))
            size += len(data)
            if size >= BYTES_MIN:
                break
    assert size >= BYTES_MIN, f"only {size} bytes of text on this machine"
    return whole, files


@pytest.fixture(scope="module")
def hashes(corpus):
    """SHA-256 of the text, and of the text without empty lines and newlines; count of lines."""
    whole, bare, lines = hashlib.sha256(), hashlib.sha256(), 0
    with open(corpus[0], "rb") as text:
        for line in text:
            whole.update(line)
            bare.update(line.rstrip(b"\n"))
            lines += 1
    return whole.hexdigest(), bare.hexdigest(), lines


def test_lines_from_java_to_kcat(clients, topic, corpus, hashes):
    sent = clients["java"].call("produce_lines", topic=topic, codec="lz4", file=str(corpus[0]))
    assert sent["count"] == hashes[2]
    assert clients["kcat"].consume_hash(topic) == hashes[0]


def test_lines_from_kcat_to_java(clients, topic, corpus, hashes):
    clients["kcat"].produce_lines(topic, "snappy", corpus[0])
    assert clients["java"].call("consume_hash", topic=topic)["sha256"] == hashes[1]


def test_files_from_librdkafka_to_java_and_back(hand, clients, topic, corpus):
    """One record per file, its path as the key and its hash as a header."""
    files = corpus[1]
    whole = hashlib.sha256()
    for start in range(0, len(files), 500):
        batch = [Record(str(path).encode(), path.read_bytes(), (("sha256", digest),))
                 for path, digest in files[start:start + 500]]
        for record in batch:
            whole.update(record.value)
        hand.produce(topic, batch, codec="zstd")
    read = clients["java"].call("consume_hash", topic=topic)
    assert (read["count"], read["sha256"]) == (len(files), whole.hexdigest())
    consumer = hand.consumer()
    hand.seek(consumer, topic, "beginning")
    position = 0
    while position < len(files):
        for offset, _, record in hand.take(consumer, min(200, len(files) - position)):
            path, digest = files[position]
            assert (offset, record.key) == (position, str(path).encode())
            assert record.headers == (("sha256", digest),)
            assert hashlib.sha256(record.value).digest() == digest
            position += 1
    consumer.close()
