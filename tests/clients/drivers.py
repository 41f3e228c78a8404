"""Every client behind one interface: a driver program that speaks the contract of README.md, or kcat.

Each has `name`, `about()`, `lacks`, `call(op, …)`, `produce(topic, records, codec, acks, idempotent)
-> list of offsets or None`, `consume(topic, start, count, partition) -> list of (offset, timestamp,
record)` where `start` is "beginning", "end", an offset, or "@milliseconds", and `member(…)`.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import threading
from itertools import groupby
from pathlib import Path

from members import Member
from records import Record

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache"
JAVA_CLASSES = CACHE / "java-classes"
JAVA = ["java", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
CLASS_PATH = f"{JAVA_CLASSES}:{CACHE / 'java'}/*"
SECONDS_MAX = 120

PYTHON = str(CACHE / "python/bin/python")
NODE = str(CACHE / "node/node_modules/.bin/node")
PROGRAMS = {
    "confluent": [PYTHON, str(HERE / "python/confluent_driver.py")],
    "java": [*JAVA, "-cp", CLASS_PATH, "ClientDriver"],
    "franz-go": [str(CACHE / "go/franz")],
    "sarama": [str(CACHE / "go/sarama")],
    "kafkajs": [NODE, str(HERE / "node/kafkajs.mjs")],
    "platformatic": [NODE, str(HERE / "node/platformatic.mjs")],
    "aiokafka": [PYTHON, str(HERE / "python/aiokafka_driver.py")],
    "kafka-python": [PYTHON, str(HERE / "python/kafka_python_driver.py")],
    "rdkafka": [str(CACHE / "rust/debug/precursor-tests-rdkafka")],
}
ALL_CLIENTS = ["kcat", *PROGRAMS]
# CLIENTS=one,two: these alone.
CLIENTS = os.environ["CLIENTS"].split(",") if "CLIENTS" in os.environ else ALL_CLIENTS


class Refused(Exception):
    """The client's own words for why it could not do what was asked."""


class Driver:
    """A driver program as a child process, started when it is first asked something."""

    def __init__(self, name: str, bootstrap: str):
        self.name = name
        self.bootstrap = bootstrap
        self.command = [*PROGRAMS[name], bootstrap]
        self.child = None
        self._about = None

    def start(self, **more):
        # What a client logs goes where the test run's errors go, when someone asks for it.
        noise = None if "CLIENTS_NOISE" in os.environ else subprocess.DEVNULL
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=noise, **more)

    def close(self):
        if self.child is None:
            return
        self.child.stdin.close()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()
        self.child = None

    def call(self, op, **members):
        """One request; its answer's members, or `Refused` with the client's own error."""
        self.child = self.child or self.start()
        late = threading.Timer(SECONDS_MAX, self.child.kill)
        late.start()
        try:
            request = json.dumps({"op": op, **members})
            self.child.stdin.write(request.encode() + b"\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            late.cancel()
        if not line:
            code = self.child.wait()
            self.child = None
            raise RuntimeError(f"{self.name} ended with {code} during {op}, or took too long")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def about(self):
        self._about = self._about or self.call("about")
        return self._about

    @property
    def lacks(self):
        return self.about()["lacks"]

    def produce(self, topic, records, codec="none", acks="all", idempotent=True):
        rows = [[r.partition, r.timestamp_ms, _text(r.key), _text(r.value),
                 [[name, _text(value)] for name, value in r.headers]] for r in records]
        answer = self.call("produce", topic=topic, records=rows, codec=codec, acks=acks,
                           idempotent=idempotent)
        return answer["offsets"] or [None] * len(records)

    def consume(self, topic, start="beginning", count=1, partition=0):
        answer = self.call("consume", topic=topic, start=str(start), count=count,
                           partition=partition)
        taken = []
        for offset, timestamp, key, value, headers in answer["records"]:
            headers = tuple((name, _bytes(value)) for name, value in headers)
            taken.append((offset, timestamp, Record(_bytes(key), _bytes(value), headers)))
        return taken

    def create(self, topic, partitions=1, config=None):
        self.call("create", topic=topic, partitions=partitions, config=config or {})

    def member(self, group, topic, **more):
        """Another process that is one member of a group."""
        request = {"op": "member", "group": group, "topic": topic, **more}
        return Member(self.name, self.start(start_new_session=True), request)


class Kcat:
    """kcat, told everything on its command line."""

    name = "kcat"
    lacks = ["null header values", "records without key and value", "create a topic", "describe a topic's options",
             "alter a topic's options", "delete a topic", "cooperative rebalance"]

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap

    def about(self):
        text = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
        own, librdkafka = re.search(r"Version ([\d.]+) .*librdkafka ([\d.]+)", text).groups()
        return {"client": "kcat", "version": f"{own} (librdkafka {librdkafka})"}

    def close(self):
        pass

    def run(self, arguments, data=None):
        command = ["kcat", "-b", self.bootstrap, *arguments]
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS_MAX)
        errors = done.stderr.decode(errors="replace")
        if done.returncode:
            raise Refused(f"{' '.join(command)}: {errors}")
        return done.stdout

    def call(self, op, topic=None, prefix=""):
        """Metadata alone: kcat administers nothing."""
        named = [] if topic is None else ["-t", topic]
        topics = json.loads(self.run(["-L", "-J", *named]))["topics"]
        if op == "describe":
            if "error" in topics[0]:
                raise Refused(topics[0]["error"])
            return {"partitions": len(topics[0]["partitions"])}
        assert op == "metadata", op
        mine = [t for t in topics if t["topic"].startswith(prefix)]
        return {"topics": len(mine), "partitions": sum(len(t["partitions"]) for t in mine)}

    def produce(self, topic, records, codec="none", acks="all", idempotent=True):
        more = ["-X", f"acks={acks}", "-X", f"enable.idempotence={str(idempotent).lower()}",
                "-X", "message.max.bytes=2000000", "-X", "topic.metadata.propagation.max.ms=3000"]
        # kcat gives all messages of one run the same headers and partition.
        for (headers, partition), run in groupby(records, lambda r: (r.headers, r.partition)):
            named = [word for name, value in headers
                     for word in ("-H", f"{name}={value.decode()}")]
            data = b"\x1e".join((r.key or b"") + b"\x1f" + (r.value or b"") for r in run)
            self.run(["-P", "-t", topic, "-p", str(partition), "-z", codec, "-Z",
                      "-K", "\x1f", "-D", "\x1e", *named, *more], data)
        return [None] * len(records)

    def produce_lines(self, topic, codec, file):
        """Every line of a file is one record, without its newline."""
        self.run(["-P", "-t", topic, "-p", "0", "-z", codec, "-X", "enable.idempotence=true",
                  "-l", str(file)])

    def consume(self, topic, start="beginning", count=1, partition=0):
        start = f"s{start}" if str(start).startswith("@") else str(start)
        out = self.run(["-C", "-t", topic, "-p", str(partition), "-c", str(count), "-o", start,
                        "-X", "fetch.message.max.bytes=2000000", "-u", "-q",
                        "-f", "%o %T %K %S %h\n%k%s"])
        return self._parse(out)

    @staticmethod
    def _parse(out):
        taken = []
        while out:
            line, out = out.split(b"\n", 1)
            offset, timestamp, key_size, value_size, headers = line.split(b" ", 4)
            key, out = Kcat._bytes(out, int(key_size))
            value, out = Kcat._bytes(out, int(value_size))
            pairs = (pair.split(b"=", 1) for pair in headers.split(b",") if pair)
            headers = tuple((name.decode(), value) for name, value in pairs)
            taken.append((int(offset), int(timestamp), Record(key, value, headers)))
        return taken

    @staticmethod
    def _bytes(data, size):
        return (None, data) if size < 0 else (data[:size], data[size:])

    def consume_hash(self, topic):
        """Partition 0 whole: the SHA-256 of its values one after the other."""
        command = ["kcat", "-b", self.bootstrap, "-C", "-t", topic, "-p", "0", "-o", "beginning",
                   "-e", "-q", "-f", "%s"]
        digest = hashlib.sha256()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            while piece := child.stdout.read(1 << 20):
                digest.update(piece)
            assert child.wait(SECONDS_MAX) == 0
        return digest.hexdigest()

    def member(self, group, topic, session_ms=6000, instance=None, strategy="range"):
        """A member that is told by the contract, and translated to kcat by kcat_member.py."""
        command = [PYTHON, str(HERE / "python/kcat_member.py"), self.bootstrap]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 start_new_session=True)
        request = {"op": "member", "group": group, "topic": topic, "session_ms": session_ms,
                   "instance": instance}
        return Member(self.name, child, request)


def every_client(bootstrap):
    """All clients of this run by their names here."""
    return {name: Kcat(bootstrap) if name == "kcat" else Driver(name, bootstrap)
            for name in CLIENTS}


def _text(data):
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text):
    return None if text is None else base64.b64decode(text)


def java_tool(main_class, arguments, data=None, seconds_max=SECONDS_MAX):
    """Runs one of Kafka's own tools and returns its standard output as text."""
    command = [*JAVA, "-cp", CLASS_PATH, main_class, *arguments]
    done = subprocess.run(command, input=data, capture_output=True, timeout=seconds_max)
    errors = done.stderr.decode(errors="replace")[-2000:]
    assert done.returncode == 0, f"{main_class}: {errors} {done.stdout.decode()[-2000:]}"
    return done.stdout.decode()


def kafka_configs(bootstrap, *arguments):
    """kafka-configs: its standard output."""
    return java_tool("kafka.admin.ConfigCommand", ["--bootstrap-server", bootstrap, *arguments])
