"""librdkafka in the tests' own process: what prepares topics and looks closely at a consumer."""

import time

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, NewTopic

from records import Record

SECONDS_MAX = 90


class Confluent:
    """librdkafka through confluent-kafka."""

    def __init__(self, bootstrap: str):
        self.bootstrap = bootstrap
        # Kept: an AdminClient that is dropped fails the calls that it has under way.
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

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
        return self._admin

    def committed(self, group, topic, partitions):
        """The sum of a group's committed offsets on a topic's partitions."""
        consumer = ck.Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        try:
            asked = [ck.TopicPartition(topic, number) for number in range(partitions)]
            return sum(max(0, at.offset) for at in consumer.committed(asked, timeout=20))
        finally:
            consumer.close()

    def commit(self, group, topic, offset):
        """Commits an offset of partition 0 for a group without members."""
        consumer = ck.Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        try:
            at = ck.TopicPartition(topic, 0, offset)
            # The first group's coordinator may still be on its way.
            for attempt in range(50):
                try:
                    consumer.commit(offsets=[at], asynchronous=False)
                    return
                except ck.KafkaException as error:
                    if attempt == 49 or "oordinator" not in error.args[0].str():
                        raise
                    time.sleep(0.1)
        finally:
            consumer.close()

    def consumer_end(self, topic, partitions):
        """The end offset of each partition."""
        consumer = self.consumer()
        try:
            asked = (ck.TopicPartition(topic, number) for number in range(partitions))
            return [consumer.get_watermark_offsets(at, timeout=20)[1] for at in asked]
        finally:
            consumer.close()

    def create(self, topic, partitions=1, config=None):
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config or {})
        self.admin().create_topics([new])[topic].result(30)
