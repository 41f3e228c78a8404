"""Three clients behind one interface: kcat, librdkafka through Python, and Kafka's Java client.

Each has `produce(topic, records, codec, acks, idempotent) -> list of offsets or None`,
`consume(topic, start, count, partition) -> list of (offset, timestamp, record)`; `start` is
"beginning", "end", an offset, or "@milliseconds".
"""

import base64
import hashlib
import subprocess
from itertools import groupby
from pathlib import Path

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, NewTopic

from records import Record

ROOT = Path(__file__).resolve().parents[2]
JAVA_JARS = ROOT / ".cache/java"
JAVA_CLASSES = ROOT / ".cache/java-classes"
JAVA = ["java", "-Xmx768m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
CLASS_PATH = f"{JAVA_CLASSES}:{JAVA_JARS}/*"
SECONDS_MAX = 90


class Confluent:
    """librdkafka through confluent-kafka."""

    name = "confluent"

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap
        self._admin = None

    def _producer(self, codec, acks, idempotent):
        return ck.Producer({
            "bootstrap.servers": self.bootstrap,
            "compression.type": codec,
            "acks": acks,
            "enable.idempotence": idempotent,
            "linger.ms": 5,
            "message.max.bytes": 2_000_000,
            "message.timeout.ms": 60_000,
        })

    def produce(self, topic, records, codec="none", acks="all", idempotent=True):
        producer = self._producer(codec, acks, idempotent)
        offsets = [None] * len(records)
        errors = []

        def answered(number):
            def note(error, message):
                if error:
                    errors.append(error)
                else:
                    offsets[number] = message.offset()
            return note

        for number, record in enumerate(records):
            more = {} if record.timestamp_ms is None else {"timestamp": record.timestamp_ms}
            producer.produce(topic, key=record.key, value=record.value, partition=record.partition,
                             headers=list(record.headers), on_delivery=answered(number), **more)
        left = producer.flush(SECONDS_MAX)
        assert not errors and not left, f"{len(errors)} refused ({errors[:1]}), {left} unanswered"
        return offsets

    def consumer(self):
        return ck.Consumer({
            "bootstrap.servers": self.bootstrap,
            "group.id": "assigned-by-hand",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "fetch.message.max.bytes": 2_000_000,
        })

    def seek(self, consumer, topic, start, partition=0):
        """Assigns the partition at `start` and returns the offset it means."""
        low, high = consumer.get_watermark_offsets(ck.TopicPartition(topic, partition), timeout=20)
        if start == "beginning":
            offset = low
        elif start == "end":
            offset = high
        elif str(start).startswith("@"):
            when = ck.TopicPartition(topic, partition, int(start[1:]))
            found = consumer.offsets_for_times([when], timeout=20)[0]
            assert found.error is None, found.error
            offset = high if found.offset < 0 else found.offset
        else:
            offset = int(start)
        consumer.assign([ck.TopicPartition(topic, partition, offset)])
        return offset

    def consume(self, topic, start="beginning", count=1, partition=0):
        consumer = self.consumer()
        try:
            self.seek(consumer, topic, start, partition)
            return self.take(consumer, count)
        finally:
            consumer.close()

    def take(self, consumer, count):
        taken = []
        while len(taken) < count:
            messages = consumer.consume(count - len(taken), timeout=20)
            assert messages, f"{len(taken)} of {count} records came"
            for message in messages:
                assert message.error() is None, message.error()
                record = Record(message.key(), message.value(), tuple(message.headers() or ()))
                taken.append((message.offset(), message.timestamp()[1], record))
        return taken

    def admin(self):
        # Kept: an AdminClient that is dropped fails the calls that it has under way.
        self._admin = self._admin or AdminClient({"bootstrap.servers": self.bootstrap})
        return self._admin

    def create(self, topic, partitions=1, config=None):
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config or {})
        self.admin().create_topics([new])[topic].result(30)


class Kcat:
    """kcat, told everything on its command line."""

    name = "kcat"

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap

    def run(self, arguments, data=None):
        command = ["kcat", "-b", self.bootstrap, *arguments]
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS_MAX)
        errors = done.stderr.decode(errors="replace")
        assert done.returncode == 0, f"{' '.join(command)}: {errors}"
        return done.stdout

    def produce(self, topic, records, codec="none", acks="all", idempotent=True):
        more = ["-X", f"acks={acks}", "-X", f"enable.idempotence={str(idempotent).lower()}",
                "-X", "message.max.bytes=2000000"]
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


class Java:
    """Kafka's Java client in one virtual machine, driven over a pipe (java/src/ClientDriver.java)."""

    name = "java"

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap
        self.child = subprocess.Popen([*JAVA, "-cp", CLASS_PATH, "ClientDriver", bootstrap],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self.child.stdin.close()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()

    def send(self, *words):
        line = "\t".join(str(word) for word in words) + "\n"
        self.child.stdin.write(line.encode())

    def answer(self):
        """The lines of one command's answer, split into fields, the closing line last."""
        self.child.stdin.flush()
        lines = []
        while True:
            line = self.child.stdout.readline().decode()
            assert line, "the Java client died"
            lines.append(line.rstrip("\n").split("\t"))
            assert lines[-1][0] != "ERROR", lines[-1][1]
            if lines[-1][0] == "DONE":
                return lines

    def call(self, *words):
        self.send(*words)
        return self.answer()

    def produce(self, topic, records, codec="none", acks="all", idempotent=True):
        self.send("PRODUCE", topic, codec, acks, str(idempotent).lower(), len(records))
        for record in records:
            headers = ",".join(f"{_text(name.encode())}:{_text(value)}"
                               for name, value in record.headers)
            timestamp = "-" if record.timestamp_ms is None else record.timestamp_ms
            self.send(record.partition, timestamp, _text(record.key), _text(record.value), headers)
        return [int(offset) for _, offset in self.answer()[:-1]]

    def consume(self, topic, start="beginning", count=1, partition=0):
        lines = self.call("CONSUME", topic, partition, start, count)
        taken = []
        for _, offset, timestamp, key, value, headers in lines[1:-1]:
            pairs = (pair.split(":") for pair in headers.split(",") if pair)
            headers = tuple((_bytes(name).decode(), _bytes(value)) for name, value in pairs)
            record = Record(_bytes(key), _bytes(value), headers)
            taken.append((int(offset), int(timestamp), record))
        assert len(taken) == count, f"{len(taken)} of {count} records came"
        return taken


def _text(data):
    return "-" if data is None else base64.b64encode(data).decode()


def _bytes(text):
    return None if text == "-" else base64.b64decode(text)


def java_tool(main_class, arguments, data=None, seconds_max=SECONDS_MAX):
    """Runs one of Kafka's own tools and returns its standard output as text."""
    command = [*JAVA, "-cp", CLASS_PATH, main_class, *arguments]
    done = subprocess.run(command, input=data, capture_output=True, timeout=seconds_max)
    errors = done.stderr.decode(errors="replace")[-2000:]
    assert done.returncode == 0, f"{main_class}: {errors}"
    return done.stdout.decode()
