import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
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
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
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

/**
 * The Java client behind a line protocol on standard input and output, so that one virtual machine
 * serves a whole test run. Fields are separated by tabs; byte strings are base64, "-" is null. Every
 * command is answered by any number of data lines and one closing line: DONE … or ERROR ….
 */
public final class ClientDriver {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long PATIENCE_MS = 60_000;

    private final String bootstrap;
    private final BufferedReader in;
    private final PrintStream out;

    private ClientDriver(String bootstrap) {
        this.bootstrap = bootstrap;
        this.in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        this.out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false);
    }

    public static void main(String[] arguments) throws IOException {
        new ClientDriver(arguments[0]).serve();
    }

    private void serve() throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("\t", -1);
            try {
                run(words);
            } catch (Exception e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                out.println("ERROR\t" + cause.toString().replace('\n', ' '));
            }
            out.flush();
        }
    }

    private void run(String[] words) throws Exception {
        switch (words[0]) {
            case "PRODUCE" -> produce(words);
            case "PRODUCE_LINES" -> produceLines(words[1], words[2], words[3]);
            case "CONSUME" -> consume(words[1], Integer.parseInt(words[2]), words[3],
                Integer.parseInt(words[4]));
            case "CONSUME_HASH" -> consumeHash(words[1]);
            case "CREATE" -> createTopic(words[1], Integer.parseInt(words[2]));
            case "DELETE" -> deleteTopic(words[1]);
            case "DELETE_RECORDS" -> deleteRecords(words[1], Long.parseLong(words[2]));
            case "TOPICS" -> topics();
            case "CLUSTER" -> cluster();
            default -> throw new IllegalArgumentException("unknown command " + words[0]);
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

    private KafkaProducer<byte[], byte[]> producer(String codec, String acks, String idempotent) {
        Properties properties = common();
        properties.put("compression.type", codec);
        properties.put("acks", acks);
        properties.put("enable.idempotence", idempotent);
        properties.put("linger.ms", "5");
        properties.put("max.request.size", "2000000");
        properties.put("delivery.timeout.ms", "60000");
        properties.put("request.timeout.ms", "30000");
        return new KafkaProducer<>(properties);
    }

    /** PRODUCE topic codec acks idempotent count, then a line per record. */
    private void produce(String[] words) throws Exception {
        int count = Integer.parseInt(words[5]);
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int n = 0; n < count; n++) {
            records.add(record(words[1], in.readLine().split("\t", -1)));
        }
        try (KafkaProducer<byte[], byte[]> producer = producer(words[2], words[3], words[4])) {
            List<Future<RecordMetadata>> answers = new ArrayList<>();
            for (ProducerRecord<byte[], byte[]> record : records) {
                answers.add(producer.send(record));
            }
            producer.flush();
            for (Future<RecordMetadata> answer : answers) {
                RecordMetadata metadata = answer.get();
                out.println(metadata.partition() + "\t" + metadata.offset());
            }
        }
        out.println("DONE\t" + count);
    }

    /** A record's line: partition, timestamp, key, value, headers as name=value separated by commas. */
    private static ProducerRecord<byte[], byte[]> record(String topic, String[] fields) {
        RecordHeaders headers = new RecordHeaders();
        for (String pair : fields[4].isEmpty() ? new String[0] : fields[4].split(",")) {
            String[] halves = pair.split(":", -1);
            headers.add(new String(bytes(halves[0]), StandardCharsets.UTF_8), bytes(halves[1]));
        }
        Long timestamp = fields[1].equals("-") ? null : Long.valueOf(fields[1]);
        int partition = Integer.parseInt(fields[0]);
        return new ProducerRecord<>(topic, partition, timestamp, bytes(fields[2]),
            bytes(fields[3]), headers);
    }

    private static byte[] bytes(String text) {
        return text.equals("-") ? null : Base64.getDecoder().decode(text);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
    }

    /** PRODUCE_LINES topic codec file: every line, its newline included, is one record. */
    private void produceLines(String topic, String codec, String file) throws Exception {
        long count = 0;
        List<Future<RecordMetadata>> last = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(codec, "all", "true");
             InputStream input = new BufferedInputStream(new FileInputStream(file), 1 << 20)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = input.read(); b >= 0; b = input.read()) {
                line.write(b);
                if (b == '\n') {
                    last = List.of(producer.send(new ProducerRecord<>(topic, 0, null, line.toByteArray()),
                        (metadata, error) -> fail(error)));
                    line.reset();
                    count++;
                }
            }
            if (line.size() > 0) {
                last = List.of(producer.send(new ProducerRecord<>(topic, 0, null, line.toByteArray()),
                    (metadata, error) -> fail(error)));
                count++;
            }
            producer.flush();
            for (Future<RecordMetadata> answer : last) {
                out.println("0\t" + answer.get().offset());
            }
        }
        if (failure != null) {
            throw failure;
        }
        out.println("DONE\t" + count);
    }

    private volatile Exception failure;

    private void fail(Exception error) {
        if (error != null) {
            failure = error;
        }
    }

    /** CONSUME topic partition start count; start: beginning, end, an offset, or @milliseconds. */
    private void consume(String topic, int partition, String start, int count) throws Exception {
        TopicPartition at = new TopicPartition(topic, partition);
        Properties properties = common();
        properties.put("max.partition.fetch.bytes", "2000000");
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            consumer.assign(List.of(at));
            seek(consumer, at, start);
            out.println("POSITION\t" + consumer.position(at));
            out.flush();
            int seen = 0;
            long deadline = System.currentTimeMillis() + PATIENCE_MS;
            while (seen < count && System.currentTimeMillis() < deadline) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    if (seen++ < count) {
                        print(record);
                    }
                }
            }
            out.println("DONE\t" + seen);
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

    private void print(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder headers = new StringBuilder();
        for (Header header : record.headers()) {
            headers.append(headers.length() == 0 ? "" : ",")
                .append(text(header.key().getBytes(StandardCharsets.UTF_8)))
                .append(':').append(text(header.value()));
        }
        out.println("RECORD\t" + record.offset() + "\t" + record.timestamp() + "\t"
            + text(record.key()) + "\t" + text(record.value()) + "\t" + headers);
    }

    /** CONSUME_HASH topic: partition 0 whole, as the SHA-256 of its values one after the other. */
    private void consumeHash(String topic) throws Exception {
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
        StringBuilder hex = new StringBuilder();
        for (byte b : digest.digest()) {
            hex.append(String.format("%02x", b));
        }
        out.println("DONE\t" + expected + "\t" + hex);
    }

    private Admin admin() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        return Admin.create(properties);
    }

    private void createTopic(String topic, int partitions) throws Exception {
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
        out.println("DONE");
    }

    private void deleteTopic(String topic) throws Exception {
        try (Admin admin = admin()) {
            admin.deleteTopics(List.of(topic)).all().get();
        }
        out.println("DONE");
    }

    private void deleteRecords(String topic, long before) throws Exception {
        try (Admin admin = admin()) {
            TopicPartition at = new TopicPartition(topic, 0);
            long start = admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(before)))
                .lowWatermarks().get(at).get().lowWatermark();
            out.println("DONE\t" + start);
        }
    }

    private void topics() throws Exception {
        try (Admin admin = admin()) {
            for (String name : admin.listTopics().names().get()) {
                out.println(name);
            }
        }
        out.println("DONE");
    }

    private void cluster() throws Exception {
        try (Admin admin = admin()) {
            out.println("DONE\t" + admin.describeCluster().clusterId().get() + "\t"
                + admin.describeCluster().nodes().get().size());
        }
    }
}
