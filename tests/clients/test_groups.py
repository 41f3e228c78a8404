"""Consumer groups as each client lives in them: joins, leaves, a crash, cooperative rebalances and
static members. The clients' stories run side by side, since most of each is waiting."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import new_name
from members import wait_until
from records import Record

PARTITIONS = 6
SESSION_MS = 6000
AT_A_TIME = 6


class Story:
    """One group on one topic, its members, and what was written so far."""

    def __init__(self, hand, client, **member):
        self.hand = hand
        self.client = client
        self.more = {"session_ms": SESSION_MS, "strategy": "range", **member}
        self.topic = new_name()
        self.group = f"group-of-{self.topic}"
        self.members = []
        self.numbers = itertools.count()
        hand.create(self.topic, partitions=PARTITIONS)

    def join(self, **more):
        member = self.client.member(self.group, self.topic, **self.more, **more)
        self.members.append(member)
        return member

    def write(self, count=60):
        values = [f"{self.topic} {next(self.numbers)}" for _ in range(count)]
        self.hand.produce(self.topic, [Record(b"k", value.encode(), partition=number % PARTITIONS)
                                       for number, value in enumerate(values)])
        return values

    def shared_by(self, *members):
        """Waits until these members own every partition once, each as many as another."""
        share = PARTITIONS // len(members)

        def settled():
            owned = sorted(p for member in members for p in member.owned)
            return owned == list(range(PARTITIONS)) and all(
                len(member.owned) == share for member in members)

        wait_until(lambda: f"{self.client.name}: owned {[m.owned for m in self.members]}, "
                   f"errors {[m.error for m in self.members]}", settled)

    def read_by(self, values, *members):
        """Waits until these members have read the values; then the group has committed them."""
        wanted = set(values)
        wait_until(lambda: f"{self.client.name}: {[len(m.records) for m in members]} records of "
                   f"{len(values)} came, errors {[m.error for m in self.members]}",
                   lambda: wanted <= {value for m in members for value in m.values()})

    def committed(self):
        """Waits until everything that was written is committed."""
        written = sum(self.hand.consumer_end(self.topic, PARTITIONS))
        found = lambda: self.hand.committed(self.group, self.topic, PARTITIONS)
        wait_until(lambda: f"{self.client.name}: {found()} of {written} are committed",
                   lambda: found() == written)

    def end(self):
        for member in self.members:
            if member.child.poll() is None:
                member.kill()
            member.child.stdin.close()
            member.child.stdout.close()


def joins_leaves_and_a_crash(story):
    first = story.join()
    story.shared_by(first)
    early = story.write()
    story.read_by(early, first)
    second, third = story.join(), story.join()
    story.shared_by(first, second, third)
    for member in (first, second, third):
        member.records.clear()
    shared = story.write()
    story.read_by(shared, first, second, third)
    read = first.values() + second.values() + third.values()
    assert sorted(v for v in read if v in set(shared)) == sorted(shared), "a record came twice"
    story.committed()
    second.stop()
    story.shared_by(first, third)
    story.read_by(story.write(), first, third)
    story.committed()
    third.kill()
    story.shared_by(first)
    story.read_by(story.write(), first)
    story.committed()
    first.stop()
    late = story.write()
    heir = story.join()
    story.read_by(late, heir)
    assert set(heir.values()) == set(late), "what was committed came again"
    story.committed()
    heir.stop()


def cooperative(story):
    """Who keeps partitions goes on reading them: nobody is ever without all of its own."""
    first = story.join()
    story.shared_by(first)
    second = story.join()
    story.shared_by(first, second)
    kept = set(first.owned)
    story.read_by(story.write(), first, second)
    third = story.join()
    story.shared_by(first, second, third)
    assert set(first.owned) < kept, "the first member's partitions are not a part of what it had"
    story.read_by(story.write(), first, second, third)
    for member in (first, second, third):
        member.stop()


def static(story):
    """A member that comes back under its name within the session gets its partitions again, and
    the others are left alone."""
    first, second = story.join(instance="first"), story.join(instance="second")
    story.shared_by(first, second)
    story.read_by(story.write(), first, second)
    story.committed()
    changes, before = first.owned_changes, second.owned
    second.kill()
    again = story.join(instance="second")
    wait_until(f"{story.client.name}: the static member did not get its partitions again: "
               f"{again.error}", lambda: again.owned == before)
    values = story.write()
    story.read_by(values, first, again)
    assert set(again.values()) <= set(values), "what was committed came again"
    assert first.owned_changes == changes, "the other member was rebalanced"
    for member in (first, again):
        member.stop()


STORIES = {
    "group of three: joins, leaves, a crash": (joins_leaves_and_a_crash, {}),
    "cooperative rebalance": (cooperative, {"strategy": "cooperative"}),
    "static members": (static, {}),
}


def tell(hand, client, feature):
    """Runs one client's story; None, or what went wrong."""
    plot, more = STORIES[feature]
    try:
        story = Story(hand, client, **more)
        try:
            plot(story)
        finally:
            story.end()
    except Exception as error:  # is raised again by the test that the story belongs to
        return error
    return None


@pytest.fixture(scope="module")
def outcomes(request, hand, clients):
    """What came of the stories that were asked for, by client and feature."""
    asked = [(item.callspec.params["client"], item.callspec.params["feature"])
             for item in request.session.items if item.module is request.module]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        running = {(name, feature): pool.submit(tell, hand, clients[name], feature)
                   for name, feature in asked if feature not in clients[name].lacks}
    return {key: future.result() for key, future in running.items()}


@pytest.mark.parametrize("feature", STORIES)
def test_group(matrix, outcomes, clients, client, feature):
    with matrix.cell(clients[client], feature) as has:
        if has and outcomes[client, feature] is not None:
            raise outcomes[client, feature]
