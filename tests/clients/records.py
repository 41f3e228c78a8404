"""What a test sends and expects: one record, and the shapes that clients get wrong."""

from dataclasses import dataclass, field

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@dataclass(frozen=True)
class Record:
    """One record as a client sees it; `headers` are (name, value or None) in order."""

    key: bytes | None = None
    value: bytes | None = None
    headers: tuple = field(default=())
    timestamp_ms: int | None = None
    partition: int = 0

    def content(self):
        return (self.key, self.value, self.headers)


def every_shape(binary: bool = True) -> list[Record]:
    """Null, empty, long and (where the client can send them) binary keys, values and headers.

    kcat writes text and cannot tell an empty key from none, so it sends the plain half.
    """
    records = [
        Record(b"key", b"value"),
        Record(None, b"value without a key"),
        Record(b"key of a tombstone", None),
        Record(None, None),
        Record("ключ".encode(), "Grüße, 世界 🌍".encode()),
        Record(b"k" * 300, b"v" * 70_000),
        Record(b"one header", b"value", (("trace", b"abc"),)),
        Record(b"two headers", b"value", (("trace", b"abc"), ("trace", b"again"))),
    ]
    if binary:
        everything = bytes(range(256))
        records += [
            Record(b"", b""),
            Record(everything, everything * 4),
            Record(b"odd headers", b"v", (("none", None), ("empty", b""), ("bin", everything))),
        ]
    return records + [Record(b"n%d" % n, b"compressible text " * 20) for n in range(200)]
