import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;

/** One member of a group: tells what it owns, each record that it read, and each commit. */
final class Member {
    private final Properties properties;
    private final JsonNode request;
    private final ClientDriver driver;
    private volatile boolean stopped;

    Member(Properties common, JsonNode request, ClientDriver driver) {
        this.properties = common;
        this.request = request;
        this.driver = driver;
        boolean cooperative = request.get("strategy").asText().equals("cooperative");
        properties.put("group.id", request.get("group").asText());
        properties.put("partition.assignment.strategy", cooperative
            ? CooperativeStickyAssignor.class.getName() : RangeAssignor.class.getName());
        properties.put("session.timeout.ms", request.get("session_ms").asText());
        properties.put("heartbeat.interval.ms", "500");
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.put("fetch.max.wait.ms", "200");
        if (request.hasNonNull("instance")) {
            properties.put("group.instance.id", request.get("instance").asText());
        }
    }

    /** Runs until `in` has another line or ends, then leaves the group. */
    void run(BufferedReader in) throws IOException {
        Thread waiter = new Thread(() -> {
            try {
                in.readLine();
            } catch (IOException e) {
                // The end of standard input, one way or the other.
            }
            stopped = true;
        });
        waiter.setDaemon(true);
        waiter.start();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            consumer.subscribe(List.of(request.get("topic").asText()));
            Set<Integer> told = Set.of();
            while (!stopped) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                Set<Integer> owned = new TreeSet<>();
                for (TopicPartition at : consumer.assignment()) {
                    owned.add(at.partition());
                }
                if (!owned.equals(told)) {
                    told = owned;
                    tellOwned(owned);
                }
                if (!records.isEmpty()) {
                    tellRecords(records);
                    commit(consumer);
                }
            }
        }
    }

    private void tellOwned(Set<Integer> owned) throws IOException {
        ObjectNode line = ClientDriver.JSON.createObjectNode().put("event", "owned");
        ArrayNode partitions = line.putArray("partitions");
        owned.forEach(partitions::add);
        driver.say(line);
    }

    private void tellRecords(ConsumerRecords<byte[], byte[]> records) throws IOException {
        ObjectNode line = ClientDriver.JSON.createObjectNode().put("event", "records");
        ArrayNode list = line.putArray("records");
        for (ConsumerRecord<byte[], byte[]> record : records) {
            list.addArray().add(record.partition()).add(record.offset())
                .add(new String(record.value(), StandardCharsets.UTF_8));
        }
        driver.say(line);
    }

    private static void commit(KafkaConsumer<byte[], byte[]> consumer) {
        try {
            consumer.commitSync();
        } catch (CommitFailedException | RebalanceInProgressException e) {
            // A new generation began; its owner reads the records again.
        }
    }
}
