"""Quotas that Kafka's own tool sets and removes while clients run, by the bytes on their wires.

Apache Kafka itself is slower after a quota was set: it holds the mean of the last eleven seconds,
in which what passed before counts."""

import json
import threading
import time

import confluent_kafka as ck
import pytest

from conftest import new_name
from drivers import kafka_configs
from members import wait_until

QUOTA = 1_000_000
WINDOW_S = 9
# The client beside the throttled one: five times its rate.
BESIDE = 5_000_000
VALUE_BYTES = 4_000


class Flow:
    """A librdkafka client that moves what it can until it is stopped, and its own count of bytes.

    The count is what the client wrote to (or read from) its sockets, requests whole, as quotas
    count them."""

    def __init__(self, bootstrap, client_id):
        self.options = {
            "bootstrap.servers": bootstrap, "client.id": client_id,
            "statistics.interval.ms": 100, "stats_cb": self._statistics,
            "throttle_cb": self._throttled,
        }
        # Pairs of a moment in seconds and the bytes moved up to then.
        self.moved = [(time.monotonic(), 0)]
        self.throttles = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _statistics(self, text):
        statistics = json.loads(text)
        brokers = statistics["brokers"].values()
        self.moved.append((statistics["ts"] / 1e6, sum(b[self.counted] for b in brokers)))

    def _throttled(self, _):
        self.throttles += 1

    def bytes(self):
        return self.moved[-1][1]

    def since(self, begin):
        """Bytes a second since the sample number `begin`."""
        (began, before), (ended, after) = self.moved[begin], self.moved[-1]
        return (after - before) / (ended - began)


def rates(flows, seconds):
    """What each moves from now on, in bytes a second."""
    begins = [len(flow.moved) for flow in flows]
    told = lambda: all(len(flow.moved) > begin and flow.moved[-1][0] >= flow.moved[begin][0] + seconds
                       for flow, begin in zip(flows, begins))
    wait_until("clients have stopped", told)
    return [flow.since(begin) for flow, begin in zip(flows, begins)]


class Writer(Flow):
    """Writes as fast as it may, or at a pace of its own."""

    counted = "txbytes"

    def __init__(self, bootstrap, client_id, topic, pace=None):
        super().__init__(bootstrap, client_id)
        self.topic = topic
        self.pace = pace
        # Small requests: the bytes of a window are then told exactly.
        self.producer = ck.Producer({**self.options, "linger.ms": 5, "batch.size": 30_000,
                                     "queue.buffering.max.messages": 2_000})

    def _run(self):
        value = b"x" * VALUE_BYTES
        began, sent = time.monotonic(), 0
        while not self._stop.is_set():
            ahead = 0
            if self.pace:
                ahead = sent / self.pace - (time.monotonic() - began)
            try:
                if ahead > 0:
                    time.sleep(min(ahead, 0.02))
                else:
                    self.producer.produce(self.topic, value)
                    sent += VALUE_BYTES
                self.producer.poll(0)
            except BufferError:
                self.producer.poll(0.01)
        self.producer.purge()
        self.producer.flush(10)


class Reader(Flow):
    """Reads a topic over and over."""

    counted = "rxbytes"
    # Not paced: faster than the quota by far, however busy the machine.
    pace = 2 * QUOTA

    def __init__(self, bootstrap, client_id, topic):
        super().__init__(bootstrap, client_id)
        self.topic = topic
        self.consumer = ck.Consumer({
            **self.options, "group.id": client_id, "enable.auto.commit": False,
            "enable.partition.eof": True, "fetch.message.max.bytes": 50_000,
            "queued.max.messages.kbytes": 1_000})

    def _run(self):
        start = [ck.TopicPartition(self.topic, 0, 0)]
        self.consumer.assign(start)
        while not self._stop.is_set():
            for message in self.consumer.consume(500, timeout=0.1):
                if message.error() and message.error().code() == ck.KafkaError._PARTITION_EOF:
                    self.consumer.assign(start)
        self.consumer.close()


@pytest.fixture
def quota(bootstrap):
    """Sets and removes quotas, and takes away what a test leaves."""
    left = []

    def change(*entity, add=None, remove=None):
        if add:
            what = ["--add-config", ",".join(f"{key}={value:.0f}" for key, value in add.items())]
            left.append((entity, list(add)))
        else:
            what = ["--delete-config", ",".join(remove)]
            left.remove((entity, remove))
        kafka_configs(bootstrap, "--alter", *entity, *what)

    yield change
    for entity, keys in left[:]:
        change(*entity, remove=keys)


def holds(slow, fast, seconds=WINDOW_S):
    """The slow ones are held to the quota from when they are first told to wait; the fast ones
    go at their pace beside them, and are never told to wait."""
    wait_until("some were never throttled", lambda: all(flow.throttles for flow in slow))
    # A machine that stands still for a moment spoils a window, not each.
    for _ in range(3):
        measured = rates([*slow, *fast], seconds)
        said = "bytes a second: " + " ".join(f"{rate:,.0f}" for rate in measured)
        print(said)
        held = all(abs(rate / QUOTA - 1) < 0.05 for rate in measured[:len(slow)])
        beside = all(rate > 0.95 * flow.pace for flow, rate in zip(fast, measured[len(slow):]))
        if held and beside:
            break
    assert held, f"{said}, not {QUOTA:,}"
    assert beside, f"{said}, not {[flow.pace for flow in fast]} beside"
    assert not any(flow.throttles for flow in fast)


def clients(name):
    return ["--entity-type", "clients", "--entity-name", name]


def test_by_client_id(matrix, bootstrap, topic, filled, quota):
    throttled, free = new_name(), new_name()
    with matrix.tool("kafka-configs", "quotas: add, describe, delete"), \
            Writer(bootstrap, throttled, topic) as writer, \
            Reader(bootstrap, throttled, filled) as reader, \
            Writer(bootstrap, free, topic, pace=BESIDE) as beside:
        wait_until("slow without a quota", lambda: writer.bytes() > 4 * QUOTA < reader.bytes())
        assert not writer.throttles and not reader.throttles
        quota(*clients(throttled), add={"producer_byte_rate": QUOTA, "consumer_byte_rate": QUOTA})
        shown = kafka_configs(bootstrap, "--describe", *clients(throttled)).replace(".0", "")
        assert f"producer_byte_rate={QUOTA}" in shown and f"consumer_byte_rate={QUOTA}" in shown
        holds([writer, reader], [beside])
        quota(*clients(throttled), remove=["producer_byte_rate", "consumer_byte_rate"])
        wait_until("slow without a quota",
                   lambda: min(rates([writer, reader], 1)) > 1.5 * QUOTA, 20)
        shown = kafka_configs(bootstrap, "--describe", *clients(throttled))
        assert "byte_rate" not in shown, shown


def test_by_the_default_of_users(bootstrap, topic, filled, quota):
    throttled, free = new_name(), new_name()
    # All clients are one user; the quota that also names a client id is the closer one.
    quota("--user-defaults", "--client", free, add={"consumer_byte_rate": 1e9})
    quota("--user-defaults", add={"consumer_byte_rate": QUOTA})
    with Reader(bootstrap, throttled, filled) as slow, Reader(bootstrap, free, filled) as fast:
        holds([slow], [fast], 8)


@pytest.fixture(scope="module")
def filled(hand):
    """A topic with 20 MB."""
    name = new_name()
    hand.create(name)
    producer = ck.Producer({"bootstrap.servers": hand.bootstrap, "linger.ms": 5,
                            "batch.size": 30_000})
    for _ in range(2_000):
        producer.produce(name, b"x" * 10_000)
        producer.poll(0)
    assert producer.flush(60) == 0
    return name
