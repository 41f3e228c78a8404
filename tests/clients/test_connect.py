"""Kafka Connect in distributed mode: a file's lines go through a topic into another file."""

import json
import subprocess
import urllib.error
import urllib.request

from brokers import free_port
from conftest import new_name
from drivers import CLASS_PATH, JAVA
from members import wait_until

FILE = "org.apache.kafka.connect.file"


class Worker:
    """One worker, its REST listener, and its internal topics' names."""

    def __init__(self, bootstrap, directory, name):
        self.directory = directory
        self.port = free_port()
        options = {
            "bootstrap.servers": bootstrap, "group.id": name,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "config.storage.topic": f"{name}-configs", "config.storage.replication.factor": 1,
            "offset.storage.topic": f"{name}-offsets", "offset.storage.replication.factor": 1,
            "offset.storage.partitions": 3,
            "status.storage.topic": f"{name}-status", "status.storage.replication.factor": 1,
            "status.storage.partitions": 1,
            "offset.flush.interval.ms": 500, "plugin.discovery": "only_scan",
            "scheduled.rebalance.max.delay.ms": 0,
            "listeners": f"http://127.0.0.1:{self.port}",
        }
        self.properties = directory / "worker.properties"
        self.properties.write_text("".join(f"{k}={v}\n" for k, v in options.items()))

    def __enter__(self):
        command = [*JAVA, "-cp", CLASS_PATH, "org.apache.kafka.connect.cli.ConnectDistributed",
                   str(self.properties)]
        with open(self.directory / "log", "ab") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(60)

    def ask(self, path, body=None):
        """The answer, or nothing while there is none."""
        assert self.child.poll() is None, (self.directory / "log").read_text()[-3000:]
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data,
                                         {"Content-Type": "application/json"},
                                         method="PUT" if data else "GET")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except (urllib.error.URLError, ConnectionError):
            return None


def test_lines_pass_and_go_on_after_a_restart(matrix, bootstrap, hand, tmp_path):
    with matrix.tool("Kafka Connect", "file source and sink, distributed, restarted"):
        name = new_name()
        hand.create(name)
        source, sink = tmp_path / "source", tmp_path / "sink"
        connectors = {
            "source": {"connector.class": f"{FILE}.FileStreamSourceConnector",
                       "file": str(source), "topic": name},
            "sink": {"connector.class": f"{FILE}.FileStreamSinkConnector",
                     "file": str(sink), "topics": name},
        }
        lines = []
        worker = Worker(bootstrap, tmp_path, name)
        for part in range(2):
            lines += [f"line {part} {number}" for number in range(2_000)]
            source.write_text("".join(line + "\n" for line in lines))
            with worker:
                wait_until("the worker does not answer", lambda: worker.ask("/connectors") is not None)
                if part == 0:
                    for connector, config in connectors.items():
                        wait_until("a connector is not taken", lambda: worker.ask(
                            f"/connectors/{connector}/config", config))
                arrived = lambda: sink.exists() and len(sink.read_text().splitlines()) >= len(lines)
                wait_until(lambda: (tmp_path / "log").read_text()[-3000:], arrived)
        # Each once and in order: offsets of both were kept.
        assert sink.read_text().splitlines() == lines
        # What Connect insists on for its own topics.
        internal = hand.admin().list_topics(timeout=20).topics
        assert len(internal[f"{name}-configs"].partitions) == 1
        assert len(internal[f"{name}-offsets"].partitions) == 3
