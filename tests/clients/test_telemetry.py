"""Clients' own metrics (KIP-714): subscribed to with Kafka's tool, seen where the broker's are."""

import re
import subprocess
import time
import urllib.request

import confluent_kafka as ck
import pytest

import brokers
from drivers import CLASS_PATH, JAVA, java_tool, kafka_configs
from members import wait_until

RECORDS = 3_000


@pytest.fixture(scope="module")
def broker():
    broker = brokers.Precursor()
    yield broker
    broker.remove()


@pytest.fixture
def series(broker):
    """What the broker shows of clients: values by name and client id."""
    [address] = re.findall(r"metrics=(\S+)", broker.log.read_text())[:1]

    def page():
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
            return answer.read().decode()

    def read():
        pattern = r'^precursor_(client_\w+){client_instance_id="[\w-]{22}",client_id="([^"]*)".*} (\S+)$'
        return {(name, client): float(value)
                for name, client, value in re.findall(pattern, page(), re.M)}

    read.counted = lambda: re.findall(r"^precursor_telemetry_pushes_total .*", page(), re.M)
    return read


def client_metrics(broker, *arguments):
    return java_tool("org.apache.kafka.tools.ClientMetricsCommand",
                     ["--bootstrap-server", broker.bootstrap, *arguments])


def test_the_tools(matrix, broker):
    with matrix.tool("kafka-client-metrics", "alter, list, describe, delete"):
        client_metrics(broker, "--alter", "--name", "of-tools", "--interval", "7000",
                       "--metrics", "org.apache.kafka.producer.", "--match", "client_id=x.*")
        assert "of-tools" in client_metrics(broker, "--list").split()
        out = client_metrics(broker, "--describe", "--name", "of-tools")
        for line in ["interval.ms=7000", "match=client_id=x.*",
                     "metrics=org.apache.kafka.producer."]:
            assert line in out, out
        client_metrics(broker, "--delete", "--name", "of-tools")
        assert "of-tools" not in client_metrics(broker, "--list").split()
    entity = ["--entity-type", "client-metrics", "--entity-name", "of-configs"]
    with matrix.tool("kafka-configs", "client-metrics: alter, describe, delete, a refusal"):
        change = lambda *what: kafka_configs(broker.bootstrap, "--alter", *entity, *what)
        change("--add-config", "interval.ms=8000,metrics=[a.,b.]")
        out = kafka_configs(broker.bootstrap, "--describe", *entity)
        assert "metrics=a.,b. sensitive=false synonyms={DYNAMIC_CLIENT_METRICS_CONFIG:" in out, out
        change("--delete-config", "interval.ms,metrics")
        with pytest.raises(AssertionError, match="interval.ms"):
            change("--add-config", "interval.ms=99")
    entity = ["--entity-type", "groups", "--entity-name", "some-group"]
    with matrix.tool("kafka-configs", "groups: alter, describe, delete, a refusal"):
        change("--add-config", "consumer.session.timeout.ms=50000")
        out = kafka_configs(broker.bootstrap, "--describe", *entity)
        assert re.search(r"consumer.session.timeout.ms=50000 .*{DYNAMIC_GROUP_CONFIG:"
                         r"consumer.session.timeout.ms=50000, DEFAULT_CONFIG:"
                         r"group.consumer.session.timeout.ms=45000}", out), out
        change("--delete-config", "consumer.session.timeout.ms")
        assert "50000" not in kafka_configs(broker.bootstrap, "--describe", "--all", *entity)
        with pytest.raises(AssertionError, match="consumer.session.timeout.ms"):
            change("--add-config", "consumer.session.timeout.ms=1")


def subscribe(broker, name, clients):
    client_metrics(broker, "--alter", "--name", name, "--metrics", "*", "--interval", "500",
                   "--match", f"client_id={clients}")


def test_the_java_client(broker, series):
    subscribe(broker, "java", "told-.*")
    perf = lambda client_id: subprocess.Popen(
        [*JAVA, "-cp", CLASS_PATH, "org.apache.kafka.tools.ProducerPerformance",
         "--topic", "told", "--num-records", str(RECORDS), "--record-size", "10",
         "--throughput", str(RECORDS // 4), "--bootstrap-server", broker.bootstrap,
         "--command-property", f"client.id={client_id}"],
        stdout=subprocess.DEVNULL)
    with perf("told-java") as told, perf("silent-java") as silent:
        gauge = ("client_producer_outgoing_byte_rate", "told-java")
        wait_until("nothing was pushed", lambda: series().get(gauge, 0) > 0)
        assert told.wait(60) == 0 and silent.wait(60) == 0
    # Increases, added up. A client that closes may keep its last ones to itself.
    sent = series()["client_producer_record_send_total", "told-java"]
    assert RECORDS / 2 < sent <= RECORDS, sent
    assert not [name for name, client in series() if client == "silent-java"]


def test_librdkafka(broker, series):
    subscribe(broker, "librdkafka", "rd-.*")
    options = {"bootstrap.servers": broker.bootstrap}
    producer = ck.Producer({**options, "client.id": "rd-producer"})
    consumer = ck.Consumer({**options, "client.id": "rd-consumer", "group.id": "told"})
    silent = ck.Producer({**options, "client.id": "silent", "enable.metrics.push": False})
    consumer.subscribe(["told"])
    wanted = {("client_producer_connection_creation_total", "rd-producer"),
              ("client_consumer_connection_creation_total", "rd-consumer")}
    deadline = time.monotonic() + 30
    while not wanted <= series().keys() and time.monotonic() < deadline:
        for one in (producer, silent):
            one.produce("told", b"x")
            one.flush(10)
        consumer.consume(100, 0.2)
    seen = series()
    assert wanted <= seen.keys(), sorted(seen)
    latency = "client_producer_node_request_latency_avg"
    assert seen[latency, "rd-producer"] > 0
    assert not [name for name, client in seen if client == "silent"]
    # When nobody asks any more, the clients hear of it with their next push, and stop.
    client_metrics(broker, "--delete", "--name", "librdkafka")
    deadline = time.monotonic() + 30
    while True:
        pushes = series.counted()
        time.sleep(1.5)
        if series.counted() == pushes:
            break
        assert time.monotonic() < deadline, f"still pushed: {pushes}"
    consumer.close()
