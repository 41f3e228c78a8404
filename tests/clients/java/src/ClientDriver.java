import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java client behind the tests' contract: one JSON request a line, answered by JSON lines of which
 * the last has "done" or "error" (../../README.md has the list). One virtual machine serves a run.
 */
public final class ClientDriver {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long PATIENCE_MS = 60_000;

    private final String bootstrap;
    private final Administration administration;
    private final BufferedReader in;
    private final PrintStream out;

    private ClientDriver(String bootstrap) {
        this.bootstrap = bootstrap;
        this.administration = new Administration(bootstrap);
        this.in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        this.out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    }

    public static void main(String[] arguments) throws IOException {
        new ClientDriver(arguments[0]).serve();
    }

    private void serve() throws IOException {
        for (String text = in.readLine(); text != null; text = in.readLine()) {
            JsonNode request = JSON.readTree(text);
            ObjectNode answer = JSON.createObjectNode();
            try {
                if (request.get("op").asText().equals("member")) {
                    new Member(common(), request, this).run(in);
                    say(answer.put("event", "left"));
                    return;
                }
                answer(request, answer);
                answer.put("done", true);
            } catch (Exception e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                answer = JSON.createObjectNode().put("error", cause.toString());
            }
            say(answer);
        }
    }

    /** Writes one line. */
    synchronized void say(ObjectNode line) throws IOException {
        out.println(JSON.writeValueAsString(line));
        out.flush();
    }

    private void answer(JsonNode request, ObjectNode answer) throws Exception {
        switch (request.get("op").asText()) {
            case "about" -> {
                answer.put("client", "Java client").put("version", AppInfoParser.getVersion());
                answer.putArray("lacks");
            }
            case "produce" -> produce(request, answer.putArray("offsets"));
            case "produce_lines" -> answer.put("count", produceLines(request));
            case "consume" -> consume(request, answer.putArray("records"));
            case "consume_hash" -> consumeHash(request.get("topic").asText(), answer);
            default -> administration.answer(request, answer);
        }
    }

    private Properties common() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.serializer", ByteArraySerializer.class.getName());
        properties.put("value.serializer", ByteArraySerializer.class.getName());
        properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
        return properties;
    }

    private KafkaProducer<byte[], byte[]> producer(JsonNode request) {
        Properties properties = common();
        properties.put("compression.type", request.get("codec").asText());
        properties.put("acks", request.path("acks").asText("all"));
        properties.put("enable.idempotence", request.path("idempotent").asText("true"));
        properties.put("linger.ms", "5");
        properties.put("max.request.size", "2000000");
        properties.put("delivery.timeout.ms", "60000");
        properties.put("request.timeout.ms", "30000");
        properties.put("max.block.ms", "10000");
        return new KafkaProducer<>(properties);
    }

    private void produce(JsonNode request, ArrayNode offsets) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(request)) {
            List<Future<RecordMetadata>> answers = new ArrayList<>();
            for (JsonNode record : request.get("records")) {
                answers.add(producer.send(record(request.get("topic").asText(), record)));
            }
            producer.flush();
            for (Future<RecordMetadata> answer : answers) {
                RecordMetadata metadata = answer.get();
                if (metadata.hasOffset()) {
                    offsets.add(metadata.offset());
                } else {
                    offsets.addNull();
                }
            }
        }
    }

    /** A record is [partition, timestamp, key, value, [[name, value], …]]. */
    private static ProducerRecord<byte[], byte[]> record(String topic, JsonNode fields)
            throws IOException {
        RecordHeaders headers = new RecordHeaders();
        for (JsonNode pair : fields.get(4)) {
            headers.add(pair.get(0).asText(), pair.get(1).binaryValue());
        }
        Long timestamp = fields.get(1).isNull() ? null : fields.get(1).asLong();
        return new ProducerRecord<>(topic, fields.get(0).asInt(), timestamp,
            fields.get(2).binaryValue(), fields.get(3).binaryValue(), headers);
    }

    /** Every line of a file, its newline included, is one record of partition 0. */
    private long produceLines(JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        long count = 0;
        try (KafkaProducer<byte[], byte[]> producer = producer(request);
             InputStream input =
                 new BufferedInputStream(new FileInputStream(request.get("file").asText()), 1 << 20)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = input.read(); b >= 0 || line.size() > 0; b = input.read()) {
                if (b >= 0) {
                    line.write(b);
                }
                if (b == '\n' || b < 0) {
                    producer.send(new ProducerRecord<>(topic, 0, null, line.toByteArray()),
                        (metadata, error) -> fail(error));
                    line.reset();
                    count++;
                }
            }
            producer.flush();
        }
        if (failure != null) {
            throw failure;
        }
        return count;
    }

    private volatile Exception failure;

    private void fail(Exception error) {
        if (error != null) {
            failure = error;
        }
    }

    private void consume(JsonNode request, ArrayNode taken) throws Exception {
        TopicPartition at =
            new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
        int count = request.get("count").asInt();
        Properties properties = common();
        properties.put("max.partition.fetch.bytes", "2000000");
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            consumer.assign(List.of(at));
            seek(consumer, at, request.get("start").asText());
            consumer.position(at);
            long deadline = System.currentTimeMillis() + PATIENCE_MS;
            while (taken.size() < count) {
                if (System.currentTimeMillis() > deadline) {
                    throw new IllegalStateException(taken.size() + " of " + count + " records came");
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (taken.size() < count) {
                        take(record, taken.addArray());
                    }
                }
            }
        }
    }

    private static void seek(KafkaConsumer<byte[], byte[]> consumer, TopicPartition at, String start) {
        if (start.equals("beginning")) {
            consumer.seekToBeginning(List.of(at));
        } else if (start.equals("end")) {
            consumer.seekToEnd(List.of(at));
        } else if (start.startsWith("@")) {
            Map<TopicPartition, OffsetAndTimestamp> found =
                consumer.offsetsForTimes(Map.of(at, Long.valueOf(start.substring(1))));
            OffsetAndTimestamp offset = found.get(at);
            if (offset == null) {
                consumer.seekToEnd(List.of(at));
            } else {
                consumer.seek(at, offset.offset());
            }
        } else {
            consumer.seek(at, Long.parseLong(start));
        }
    }

    /** A record's answer is [offset, timestamp, key, value, [[name, value], …]]. */
    private static void take(ConsumerRecord<byte[], byte[]> record, ArrayNode fields) {
        fields.add(record.offset()).add(record.timestamp()).add(record.key()).add(record.value());
        ArrayNode headers = fields.addArray();
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(header.value());
        }
    }

    /** Partition 0 whole, as the SHA-256 of its values one after the other. */
    private void consumeHash(String topic, ObjectNode answer) throws Exception {
        TopicPartition at = new TopicPartition(topic, 0);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        long expected = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(common())) {
            consumer.assign(List.of(at));
            consumer.seekToBeginning(List.of(at));
            long end = consumer.endOffsets(List.of(at)).get(at);
            long deadline = System.currentTimeMillis() + 3 * PATIENCE_MS;
            while (expected < end && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() != expected) {
                        throw new IllegalStateException(
                            "expected offset " + expected + ", got " + record.offset());
                    }
                    expected++;
                    digest.update(record.value());
                }
            }
        }
        answer.put("count", expected).put("sha256", HexFormat.of().formatHex(digest.digest()));
    }
}
