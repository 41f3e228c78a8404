import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;

/**
 * Records what Apache Kafka writes to `__consumer_offsets`: groups that join, commit, leave and are
 * deleted on a running broker, then the topic's records (`log PARTITION KEY VALUE`, hex, `-` for a
 * tombstone), then values of every version as Kafka's own classes write them (`value TYPE VERSION
 * HEX`). `tests/vectors/record-offsets-topic` runs it.
 */
public final class OffsetsTopicVectors {
    public static void main(String[] arguments) throws Exception {
        Properties common = new Properties();
        common.put("bootstrap.servers", arguments[0]);
        act(common);
        records(common);
        values();
    }

    private static void act(Properties common) throws Exception {
        try (Admin admin = Admin.create(common)) {
            admin.createTopics(List.of(new NewTopic("orders", 3, (short) 1))).all().get();
            TopicPartition partition = new TopicPartition("orders", 0);
            try (var member = consumer(common, "my-group", null); var fixed = consumer(common, "my-group", "instance-1")) {
                member.subscribe(List.of("orders"));
                fixed.subscribe(List.of("orders"));
                for (int n = 0; n < 100; n++) {
                    member.poll(Duration.ofMillis(100));
                    fixed.poll(Duration.ofMillis(100));
                }
                for (var one : List.of(member, fixed)) {
                    for (TopicPartition owned : one.assignment()) {
                        one.commitSync(Map.of(owned, new OffsetAndMetadata(7, Optional.of(3), "größe")));
                    }
                }
            }
            admin.alterConsumerGroupOffsets("simple", Map.of(partition, new OffsetAndMetadata(42, "by hand"))).all().get();
            admin.alterConsumerGroupOffsets("deleted", Map.of(partition, new OffsetAndMetadata(1))).all().get();
            admin.deleteConsumerGroups(List.of("deleted")).all().get();
        }
    }

    private static KafkaConsumer<byte[], byte[]> consumer(Properties common, String group, String instance) {
        Properties properties = new Properties();
        properties.putAll(common);
        properties.put("group.protocol", "classic");
        properties.put("enable.auto.commit", "false");
        properties.put("client.id", "vectors");
        if (group != null) {
            properties.put("group.id", group);
        }
        if (instance != null) {
            properties.put("group.instance.id", instance);
        }
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static void records(Properties common) {
        try (var reader = consumer(common, null, null)) {
            List<TopicPartition> partitions = new ArrayList<>();
            reader.partitionsFor("__consumer_offsets").forEach(p -> partitions.add(new TopicPartition(p.topic(), p.partition())));
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            for (int empty = 0; empty < 5;) {
                var batch = reader.poll(Duration.ofMillis(500));
                empty = batch.isEmpty() ? empty + 1 : 0;
                for (ConsumerRecord<byte[], byte[]> r : batch) {
                    System.out.println("log " + r.partition() + " " + hex(r.key()) + " " + hex(r.value()));
                }
            }
        }
    }

    private static void values() {
        for (short version = 0; version <= 4; version++) {
            OffsetCommitValue offset = new OffsetCommitValue().setOffset(11).setMetadata("m").setCommitTimestamp(1700000000000L);
            if (version == 1) {
                offset.setExpireTimestamp(1800000000000L);
            }
            if (version >= 3) {
                offset.setLeaderEpoch(5);
            }
            if (version >= 4) {
                offset.setTopicId(new Uuid(1, 2));
            }
            print("OffsetCommitValue", version, offset);
            GroupMetadataValue.MemberMetadata member = new GroupMetadataValue.MemberMetadata()
                .setMemberId("member").setClientId("client").setClientHost("/192.0.2.1").setSessionTimeout(45000)
                .setSubscription(new byte[] {1, 2}).setAssignment(new byte[] {3});
            if (version >= 1) {
                member.setRebalanceTimeout(300000);
            }
            if (version >= 3) {
                member.setGroupInstanceId("instance");
            }
            GroupMetadataValue group = new GroupMetadataValue().setProtocolType("consumer").setGeneration(9)
                .setProtocol("range").setLeader("member").setMembers(List.of(member));
            if (version >= 2) {
                group.setCurrentStateTimestamp(1700000000000L);
            }
            print("GroupMetadataValue", version, group);
        }
    }

    private static void print(String type, short version, ApiMessage message) {
        System.out.println("value " + type + " " + version + " " + hex(MessageUtil.toVersionPrefixedBytes(version, message)));
    }

    private static String hex(byte[] bytes) {
        if (bytes == null) {
            return "-";
        }
        StringBuilder hex = new StringBuilder();
        for (byte b : bytes) {
            hex.append(String.format("%02x", b));
        }
        return hex.toString();
    }
}
