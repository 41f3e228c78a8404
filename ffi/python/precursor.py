"""The native client for Python: ctypes over libprecursor, nothing else.

    from precursor import Client

    with Client.shm("/var/lib/precursor") as client:
        client.create_topic("events")
        offset = client.produce("events", b"hello", key=b"greeting")
        for record in client.fetch("events", offset):
            print(record.offset, record.value)

The library is looked for at PRECURSOR_LIBRARY, beside this file, and where the system keeps
libraries. A client belongs to one thread.
"""

import ctypes
import ctypes.util
import os
from pathlib import Path
from typing import NamedTuple, Optional

_ERROR_BYTES = 1024


class PrecursorError(Exception):
    """A call failed; the text says why."""


class Usage(PrecursorError):
    """The call itself is wrong."""


class Unreachable(PrecursorError):
    """No broker can be reached."""


class Lost(PrecursorError):
    """The connection ended before the answer came: a record may have been appended or not."""


class TimedOut(Lost):
    """No answer came in time."""


class Refused(PrecursorError):
    """The broker refused, and nothing was done."""


_ERRORS = {-1: Usage, -2: Unreachable, -3: Lost, -4: TimedOut, -5: Refused}


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: Optional[bytes]
    value: Optional[bytes]


class _Record(ctypes.Structure):
    _fields_ = [
        ("offset", ctypes.c_int64),
        ("timestamp", ctypes.c_int64),
        ("key", ctypes.c_void_p),
        ("key_bytes", ctypes.c_size_t),
        ("value", ctypes.c_void_p),
        ("value_bytes", ctypes.c_size_t),
    ]


def _load():
    beside = Path(__file__).with_name("libprecursor.so")
    named = os.environ.get("PRECURSOR_LIBRARY")
    found = named or (beside if beside.exists() else ctypes.util.find_library("precursor"))
    if not found:
        raise ImportError("libprecursor is not here: set PRECURSOR_LIBRARY to its path")
    library = ctypes.CDLL(str(found))
    client, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
    size, i32 = ctypes.c_size_t, ctypes.c_int32
    signatures = {
        "precursor_version": (text, []),
        "precursor_connect_shm": (client, [text, ctypes.c_char_p, size]),
        "precursor_connect_rdma": (client, [text, ctypes.c_char_p, size]),
        "precursor_connect_tcp": (client, [text, ctypes.c_char_p, size]),
        "precursor_close": (None, [client]),
        "precursor_error": (text, [client]),
        "precursor_set_polling": (number, [client, i32]),
        "precursor_create_topic": (number, [client, text, i32]),
        "precursor_produce": (number, [client, text, i32, text, size, text, size]),
        "precursor_produce_batch": (number, [client, text, i32, ctypes.POINTER(_Record), size]),
        "precursor_fetch": (number, [client, text, i32, number, ctypes.c_uint32]),
        "precursor_record_at": (number, [client, size, ctypes.POINTER(_Record)]),
        "precursor_next_offset": (number, [client]),
        "precursor_offsets": (number, [client, text, i32, ctypes.POINTER(number),
                                       ctypes.POINTER(number)]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


def version():
    return _library.precursor_version().decode()


def _bytes(start, length):
    return None if start is None else ctypes.string_at(start, length)


class Client:
    """A client of one broker; see Client.shm, Client.rdma and Client.tcp."""

    def __init__(self, handle):
        self._handle = handle

    @classmethod
    def shm(cls, data_dir):
        """By shared memory, to the broker of this data directory on this host."""
        return cls._connect(_library.precursor_connect_shm, os.fspath(data_dir))

    @classmethod
    def rdma(cls, address):
        """By RDMA, to HOST:PORT of an RDMA device of the broker's host."""
        return cls._connect(_library.precursor_connect_rdma, address)

    @classmethod
    def tcp(cls, address):
        """By TCP, to HOST:PORT."""
        return cls._connect(_library.precursor_connect_tcp, address)

    @classmethod
    def _connect(cls, connect, place):
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        handle = connect(place.encode(), error, len(error))
        if not handle:
            raise Unreachable(error.value.decode(errors="replace"))
        return cls(handle)

    def close(self):
        handle, self._handle = self._handle, None
        _library.precursor_close(handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _checked(self, result):
        if result < 0:
            error = _ERRORS.get(result, PrecursorError)
            raise error(_library.precursor_error(self._handle).decode(errors="replace"))
        return result

    def set_polling(self, polling):
        """Whether to poll while waiting: shortest waits, for a whole processor."""
        self._checked(_library.precursor_set_polling(self._handle, int(polling)))

    def create_topic(self, topic, partitions=1):
        """Makes a topic; one that is there already is as good."""
        self._checked(_library.precursor_create_topic(self._handle, topic.encode(), partitions))

    def produce(self, topic, value, key=None, partition=0):
        """Appends one record and waits until the broker has it; its offset."""
        return self._checked(_library.precursor_produce(
            self._handle, topic.encode(), partition,
            key, 0 if key is None else len(key), value, len(value)))

    def produce_batch(self, topic, records, partition=0):
        """Appends (key, value) pairs as one batch, each part bytes or None; the first one's offset."""
        pairs = list(records)
        batch = (_Record * len(pairs))()
        # The pointers go into these bytes, which live to the end of the call.
        for record, (key, value) in zip(batch, pairs):
            record.timestamp = -1
            for part, name in ((key, "key"), (value, "value")):
                if part is not None:
                    start = ctypes.cast(ctypes.c_char_p(part), ctypes.c_void_p)
                    setattr(record, name, start)
                    setattr(record, name + "_bytes", len(part))
        return self._checked(_library.precursor_produce_batch(
            self._handle, topic.encode(), partition, batch, len(pairs)))

    def fetch(self, topic, offset, partition=0, wait_ms=1000):
        """Records from an offset on; an empty list when none came in time."""
        count = self._checked(_library.precursor_fetch(
            self._handle, topic.encode(), partition, offset, wait_ms))
        records = []
        for index in range(count):
            raw = _Record()
            self._checked(_library.precursor_record_at(self._handle, index, ctypes.byref(raw)))
            records.append(Record(raw.offset, raw.timestamp, _bytes(raw.key, raw.key_bytes),
                                  _bytes(raw.value, raw.value_bytes)))
        return records

    def next_offset(self):
        """Where to fetch after the last fetch."""
        return _library.precursor_next_offset(self._handle)

    def offsets(self, topic, partition=0):
        """The first offset that can be read, and the one behind the last."""
        start, end = ctypes.c_int64(), ctypes.c_int64()
        self._checked(_library.precursor_offsets(
            self._handle, topic.encode(), partition, ctypes.byref(start), ctypes.byref(end)))
        return start.value, end.value
