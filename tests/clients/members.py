"""A member of a consumer group, in a process of its own that can be stopped or killed."""

import json
import os
import signal
import threading
import time

SECONDS_MAX = 60


class Member:
    """What a member process says, kept up to date by a thread of its own."""

    def __init__(self, client, child, request):
        self.client = client
        self.child = child
        self.owned = []
        self.owned_changes = 0
        self.records = []
        self.error = None
        self.left = False
        self._changed = threading.Condition()
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a line that a kill cut off
            with self._changed:
                self._take(event)
                self._changed.notify_all()

    def _take(self, event):
        if "error" in event:
            self.error = event["error"]
        elif event["event"] == "owned":
            if event["partitions"] != self.owned:
                self.owned = event["partitions"]
                self.owned_changes += 1
        elif event["event"] == "records":
            self.records += [tuple(record) for record in event["records"]]
        elif event["event"] == "left":
            self.left = True

    def values(self):
        return [value for _, _, value in self.records]

    def kill(self):
        """kill -9: the group hears nothing of it."""
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def stop(self):
        """Leaves the group and ends."""
        self.child.stdin.close()
        self.child.wait(SECONDS_MAX)
        self._reader.join(SECONDS_MAX)
        assert self.left, f"{self.client}: a member did not leave: {self.error}"


def wait_until(about, condition, seconds=SECONDS_MAX):
    """Looks until the condition holds; what it returns then."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, about() if callable(about) else about
        time.sleep(0.02)
