"""Kafka Streams: a stateful word count over real text, with its changelog and repartition topics."""

import re
import subprocess
from collections import Counter

from conftest import new_name
from drivers import CLASS_PATH, JAVA
from members import wait_until
from records import Record
from test_real_text import text_files

LINES_MAX = 20_000


def lines_of_text():
    """Lines of this machine's text files."""
    lines = []
    for _, data in text_files():
        lines += [line for line in data.decode().splitlines() if line.strip()]
        if len(lines) >= LINES_MAX:
            return lines[:LINES_MAX]
    raise AssertionError("not enough text on this machine")


def words_of(lines):
    # What Java's lower case makes of letters outside a to z splits words, or makes none.
    return Counter(word for line in lines for word in re.split("[^a-z]+", line.lower()) if word)


def counts(hand, topic, partitions):
    """The latest count of each word, once every partition was read to its end."""
    found = {}
    ends = hand.consumer_end(topic, partitions)
    for partition, end in enumerate(ends):
        for _, _, record in hand.consume(topic, count=end, partition=partition) if end else ():
            found[record.key.decode()] = int(record.value)
    return found


def test_words_of_real_text_are_counted(matrix, bootstrap, hand, tmp_path):
    with matrix.tool("Kafka Streams", "stateful word count of real text, killed and restarted"):
        source, target, application = new_name(), new_name(), new_name()
        hand.create(source, partitions=3)
        hand.create(target, partitions=3)
        lines = [line.encode("ascii", "ignore").decode() for line in lines_of_text()]
        # Killed, it leaves the library of its state store where it unpacked it.
        unpacked = f"-Djava.io.tmpdir={tmp_path}"
        command = [*JAVA, unpacked, "-cp", CLASS_PATH, "StreamsWordCount", bootstrap, application, source,
                   target, str(tmp_path / "state")]
        half = len(lines) // 2
        for part, ending in ((lines[:half], "kill"), (lines[half:], "stop")):
            hand.produce(source, [Record(None, line.encode(), partition=n % 3)
                                  for n, line in enumerate(part)], codec="lz4")
            until = lines[:half] if ending == "kill" else lines
            expected = words_of(until)
            with open(tmp_path / "log", "ab") as log:
                child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
            try:
                def all_words():
                    assert child.poll() is None, (tmp_path / "log").read_text()[-2000:]
                    found = counts(hand, target, 3)
                    # At least once: what was in flight when it was killed may be counted again.
                    return all(found.get(word, 0) >= n for word, n in expected.items())

                wait_until("not every word was counted", all_words, 90)
            finally:
                child.kill() if ending == "kill" else child.stdin.close()
                child.wait(60)
        topics = hand.admin().list_topics(timeout=20).topics
        mine = [name for name in topics if name.startswith(application)]
        assert sorted(name.rsplit("-", 1)[1] for name in mine) == ["changelog", "repartition"]
