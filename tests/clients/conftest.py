"""Fixtures: the broker under test, the clients that talk to it, and the table of what they did.

BROKER_BOOTSTRAP=HOST:PORT points the tests at a running broker instead (any broker that
speaks the Kafka protocol), and BROKER=kafka starts Apache Kafka in Precursor's place; otherwise
one is started from BROKER_BIN_DIR (default target/release) on a free port, with its data in a
temporary directory. Tests that restart their broker always start one.
"""

import itertools
import os
from pathlib import Path

import pytest

import brokers
from drivers import CLIENTS, every_client
from librdkafka import Confluent
from matrix import Matrix

numbers = itertools.count(1)
GROUP_OPTIONS = ["group.initial.rebalance.delay.ms=0"]


def pytest_addoption(parser):
    parser.addoption("--write-table", action="store_true",
                     help="write the table of docs/clients.md instead of comparing it")


def pytest_collection_modifyitems(items):
    """The table is looked at when everything else has run."""
    items.sort(key=lambda item: item.path.name == "test_table.py")


@pytest.fixture(scope="session")
def bootstrap():
    outside = os.environ.get("BROKER_BOOTSTRAP")
    if outside:
        yield outside
        return
    broker = brokers.start(*GROUP_OPTIONS)
    yield broker.bootstrap
    broker.remove()


@pytest.fixture(scope="session")
def clients(bootstrap):
    drivers = every_client(bootstrap)
    yield drivers
    for driver in drivers.values():
        driver.close()


@pytest.fixture(scope="session")
def hand(bootstrap):
    """The client that prepares what a test needs: librdkafka in this process."""
    return Confluent(bootstrap)


@pytest.fixture(scope="session")
def matrix():
    """What this process saw, and with MATRIX_DIR what earlier ones did and later ones are to know."""
    matrix = Matrix()
    shared = os.environ.get("MATRIX_DIR")
    for path in Path(shared).glob("*.json") if shared else ():
        matrix.add(path)
    yield matrix
    if shared:
        matrix.save(Path(shared) / f"{os.getpid()}.json")


@pytest.fixture
def topic_name():
    """A name that no other test and no earlier run on the same broker used."""
    return new_name()


def new_name():
    return f"clients-{os.getpid()}-{next(numbers)}"


@pytest.fixture
def topic(hand, topic_name):
    hand.create(topic_name)
    return topic_name


def pytest_generate_tests(metafunc):
    """A test that takes `client` runs for every client."""
    if "client" in metafunc.fixturenames:
        metafunc.parametrize("client", CLIENTS)
