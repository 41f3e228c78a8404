"""Metadata of 10,000 partitions, asked for by every client. On a broker of its own: opening that
many logs keeps a disk busy for a while, and other tests would wait behind it."""

import pytest
from confluent_kafka.admin import NewTopic

import brokers
from drivers import every_client
from librdkafka import Confluent
from members import wait_until

TOPICS, PARTITIONS = 100, 100


@pytest.fixture(scope="module")
def crowded():
    """Every client of a broker that has 10,000 partitions."""
    broker = brokers.start()
    hand = Confluent(broker.bootstrap)
    names = [f"many-{number}" for number in range(TOPICS)]
    new = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names]
    for half in (new[:TOPICS // 2], new[TOPICS // 2:]):
        made = hand.admin().create_topics(half, operation_timeout=5, request_timeout=90)
        for topic in made.values():
            topic.result(90)

    def all_told():
        topics = hand.admin().list_topics(timeout=60).topics
        return all(name in topics and len(topics[name].partitions) == PARTITIONS for name in names)

    wait_until("not every partition was made", all_told, 200)
    clients = every_client(broker.bootstrap)
    yield clients
    for driver in clients.values():
        driver.close()
    broker.remove(kill=True)


def test_every_partition_is_told(matrix, crowded, client):
    with matrix.cell(crowded[client], "metadata of 10,000 partitions"):
        told = crowded[client].call("metadata", prefix="many-")
        assert (told["topics"], told["partitions"]) == (TOPICS, TOPICS * PARTITIONS)
