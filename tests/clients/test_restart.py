"""A broker that makes no topics unasked, and that is stopped and started under its groups."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import brokers
from conftest import GROUP_OPTIONS
from drivers import CLIENTS, Refused, every_client
from librdkafka import Confluent
from members import wait_until
from records import Record
from test_admin import UNKNOWN_TOPIC
from test_groups import Story

RESTART = "offsets resumed after a restart of the broker"
MISSING = "a missing topic is a clear error"


@pytest.fixture(scope="module")
def broker():
    broker = brokers.start(*GROUP_OPTIONS, "auto.create.topics.enable=false")
    yield broker
    broker.remove()


@pytest.fixture(scope="module")
def others(broker):
    """Every client of the broker that is restarted."""
    clients = every_client(broker.bootstrap)
    yield clients
    for driver in clients.values():
        driver.close()


def for_each(clients, call):
    """What `call` returned or raised for each client, side by side."""
    def guarded(client):
        try:
            return call(client)
        except Exception as error:  # is raised again by the test that it belongs to
            return error

    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        running = {name: pool.submit(guarded, client) for name, client in clients.items()}
    return {name: future.result() for name, future in running.items()}


@pytest.fixture(scope="module")
def refusals(others):
    """What each client says when it is asked to describe and to write to a topic that is not there."""
    def ask(client):
        said = []
        for ask in (lambda: client.call("describe", topic="never-made"),
                    lambda: client.produce("never-made", [Record(b"k", b"v")])):
            try:
                said.append(f"no error, but {ask()}")
            except Refused as refused:
                said.append(str(refused))
        return said

    return for_each(others, ask)


def test_a_missing_topic_is_a_clear_error(matrix, refusals, others, broker, client):
    with matrix.cell(others[client], MISSING):
        if isinstance(refusals[client], Exception):
            raise refusals[client]
        described, written = refusals[client]
        assert re.search(UNKNOWN_TOPIC, described), described
        assert re.search(UNKNOWN_TOPIC, written), written
        # The client lives on.
        hand = Confluent(broker.bootstrap)
        hand.create(f"made-for-{client}")
        others[client].produce(f"made-for-{client}", [Record(b"k", b"v")])
        assert "never-made" not in hand.admin().list_topics(timeout=20).topics


@pytest.fixture(scope="module")
def survivors(broker, others):
    """Per client what went wrong over one restart of the broker, or None: a group of one member that
    stays, and a group whose member left before."""
    hand = Confluent(broker.bootstrap)

    def before(client):
        stays, leaves = Story(hand, client), Story(hand, client)
        for story in (stays, leaves):
            member = story.join()
            story.shared_by(member)
            story.read_by(story.write(), member)
            story.committed()
        leaves.members[0].stop()
        return stays, leaves

    def after(client):
        if isinstance(stories[client.name], Exception):
            raise stories[client.name]
        stays, leaves = stories[client.name]
        try:
            values = stays.write()
            stays.read_by(values, stays.members[0])
            read = stays.members[0].values()[-len(values):]
            assert set(read) == set(values), "what was committed came again"
            values = leaves.write()
            heir = leaves.join()
            leaves.read_by(values, heir)
            assert set(heir.values()) == set(values), "what was committed came again"
            stays.committed()
            leaves.committed()
        finally:
            stays.end()
            leaves.end()

    stories = for_each(others, before)
    broker.stop()
    broker.start()
    hand = Confluent(broker.bootstrap)
    wait_until("the broker serves", lambda: hand.admin().list_topics(timeout=20))
    for told in stories.values():
        for story in told if isinstance(told, tuple) else ():
            story.hand = hand
    return for_each(others, after)


def test_groups_go_on_after_a_restart(matrix, survivors, others, client):
    with matrix.cell(others[client], RESTART):
        if survivors[client] is not None:
            raise survivors[client]
