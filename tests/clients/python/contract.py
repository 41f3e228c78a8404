"""What every Python client of the tests speaks on standard input and output: one JSON request a
line, answered by JSON lines of which the last has "done" or "error" (../README.md has the list).

A driver is a class with `about`, `produce`, `consume`, `create`, `describe`, `config`, `alter`,
`delete` and `metadata`, each taking the request and returning the answer's members, and `member`,
which runs until the `Stop` that it is given and then leaves its group.
"""

import base64
import json
import os
import sys
import threading

PATIENCE_SECONDS = 60


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def data(text):
    return None if text is None else base64.b64decode(text)


def records_of(request):
    """(partition, timestamp or None, key, value, [(name, value)]) of each record to produce."""
    for partition, timestamp, key, value, headers in request["records"]:
        pairs = [(name, data(value)) for name, value in headers]
        yield partition, timestamp, data(key), data(value), pairs


def record(offset, timestamp, key, value, headers):
    """One record as the answer to `consume` has it."""
    pairs = [[name, text(value)] for name, value in headers]
    return [offset, timestamp, text(key), text(value), pairs]


def line(**members):
    sys.stdout.write(json.dumps(members) + "\n")
    sys.stdout.flush()


def owned(partitions):
    line(event="owned", partitions=sorted(partitions))


def records_seen(records):
    """Records of a member, as (partition, offset, value) each."""
    line(event="records", records=[[p, o, value.decode()] for p, o, value in records])


class Stop:
    """Is set when standard input says another line or ends."""

    def __init__(self):
        self.event = threading.Event()
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self):
        sys.stdin.readline()
        self.event.set()

    def __bool__(self):
        return self.event.is_set()


def serve(driver):
    for request in map(json.loads, iter(sys.stdin.readline, "")):
        if request["op"] == "member":
            try:
                driver.member(request, Stop())
                line(event="left")
            except Exception as error:  # the contract's answer to any failure
                line(error=f"{type(error).__name__}: {error}")
            # The thread that reads standard input may be in the middle of it.
            os._exit(0)
        try:
            answer = getattr(driver, request["op"])(request) or {}
            line(**answer, done=True)
        except Exception as error:  # the contract's answer to any failure
            line(error=f"{type(error).__name__}: {error}")
