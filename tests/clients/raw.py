"""What a partition's log holds, as the bytes of a Fetch response: no client's word is taken for it."""

import socket
import struct

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
FETCH, VERSION = 1, 4
SECONDS_MAX = 30


def stored_batches(bootstrap, topic, partition=0):
    """(codec, records, bytes, is LogAppendTime) of every batch, in order."""
    host, port = bootstrap.rsplit(":", 1)
    batches, offset = [], 0
    with socket.create_connection((host, int(port)), timeout=SECONDS_MAX) as connection:
        while True:
            records = fetch(connection, topic, partition, offset)
            if not records:
                return batches
            at = 0
            while at + 61 <= len(records):
                base, length = struct.unpack_from(">qi", records, at)
                if at + 12 + length > len(records):
                    break
                attributes, last_delta = struct.unpack_from(">hi", records, at + 21)
                assert base == offset, (base, offset)
                codec = CODECS[attributes & 7]
                batches.append((codec, last_delta + 1, 12 + length, bool(attributes & 8)))
                offset = base + last_delta + 1
                at += 12 + length


def fetch(connection, topic, partition, offset):
    name = topic.encode()
    body = struct.pack(">iiiib", -1, 100, 1, 50 << 20, 0)
    body += struct.pack(">ih", 1, len(name)) + name
    body += struct.pack(">iiqi", 1, partition, offset, 1 << 20)
    client = b"raw"
    head = struct.pack(">hhih", FETCH, VERSION, 7, len(client)) + client
    connection.sendall(struct.pack(">i", len(head + body)) + head + body)
    answer = exactly(connection, struct.unpack(">i", exactly(connection, 4))[0])
    # Correlation id, throttle time, one topic, its name, one partition.
    at = 4 + 4 + 4 + 2 + len(name) + 4
    index, error, _, _, aborted = struct.unpack_from(">ihqqi", answer, at)
    assert (index, error) == (partition, 0), (index, error)
    at += 26 + 16 * max(0, aborted)
    length, = struct.unpack_from(">i", answer, at)
    return answer[at + 4:at + 4 + max(0, length)]


def exactly(connection, count):
    taken = b""
    while len(taken) < count:
        more = connection.recv(count - len(taken))
        assert more, "the broker ended the connection"
        taken += more
    return taken
