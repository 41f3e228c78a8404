import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Records what Kafka's own Java client writes: random messages of every client-facing key and
 * version, made from the client's schemas, read and written again by its messages, one line each:
 * message, version, bytes in hex. `tests/vectors/record` runs it.
 */
public final class RecordVectors {
    private static final long SEED = 20261123;
    private static final int MESSAGES_PER_VERSION = 3;

    private final Random random = new Random(SEED);
    private int depth;

    public static void main(String[] arguments) throws Exception {
        new RecordVectors().record(System.out);
    }

    private void record(PrintStream out) throws Exception {
        for (ApiMessageType type : ApiMessageType.values()) {
            if (!type.listeners().contains(ApiMessageType.ListenerType.BROKER)) {
                continue;
            }
            for (short v = type.lowestSupportedVersion(); v <= type.highestSupportedVersion(true); v++) {
                for (int n = 0; n < MESSAGES_PER_VERSION; n++) {
                    line(out, type.newRequest(), type.requestSchemas()[v], v);
                    line(out, type.newResponse(), type.responseSchemas()[v], v);
                }
            }
        }
    }

    private void line(PrintStream out, ApiMessage message, Schema schema, short version) {
        Struct struct = struct(schema);
        ByteBuffer buffer = ByteBuffer.allocate(schema.sizeOf(struct));
        schema.write(buffer, struct);
        buffer.flip();
        try {
            message.read(new ByteBufferAccessor(buffer), version);
        } catch (RuntimeException refused) {
            // A random value that the message itself refuses; the next one will do.
            return;
        }
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer canonical = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(canonical), cache, version);
        String name = message.getClass().getSimpleName().replaceFirst("Data$", "");
        StringBuilder hex = new StringBuilder();
        for (byte b : canonical.array()) {
            hex.append(String.format("%02x", b));
        }
        out.println(name + " " + version + " " + hex);
    }

    private Struct struct(Schema schema) {
        Struct struct = new Struct(schema);
        depth++;
        for (BoundField field : schema.fields()) {
            struct.set(field, value(field.def.type));
        }
        depth--;
        return struct;
    }

    private Object value(Type type) {
        if (type instanceof Schema schema) {
            return struct(schema);
        }
        if (type instanceof TaggedFields tagged) {
            return tags(tagged);
        }
        if (type.isNullable() && random.nextInt(4) == 0) {
            return null;
        }
        if (type.isArray()) {
            Type element = type.arrayElementType().orElseThrow();
            List<Object> values = new ArrayList<>();
            for (int n = random.nextInt(depth > 2 ? 2 : 3); n > 0; n--) {
                values.add(value(element));
            }
            return values.toArray();
        }
        return scalar(type);
    }

    private TreeMap<Integer, Object> tags(TaggedFields tagged) {
        TreeMap<Integer, Object> values = new TreeMap<>();
        for (var entry : tagged.fields().entrySet()) {
            if (random.nextBoolean()) {
                values.put(entry.getKey(), value(entry.getValue().type));
            }
        }
        if (random.nextInt(4) == 0) {
            values.put(5000, new RawTaggedField(5000, bytes(random.nextInt(6))));
        }
        return values;
    }

    private Object scalar(Type type) {
        String name = type.toString();
        return switch (name) {
            case "BOOLEAN" -> random.nextBoolean();
            case "INT8" -> (byte) random.nextInt();
            case "INT16" -> (short) random.nextInt();
            case "UINT16" -> random.nextInt(1 << 16);
            case "INT32" -> random.nextInt();
            case "UINT32" -> random.nextInt() & 0xffffffffL;
            case "INT64" -> random.nextLong();
            case "FLOAT64" -> random.nextDouble();
            case "UUID" -> new Uuid(random.nextLong(), random.nextLong());
            case "STRING", "COMPACT_STRING", "NULLABLE_STRING", "COMPACT_NULLABLE_STRING" -> text();
            case "BYTES", "COMPACT_BYTES", "NULLABLE_BYTES", "COMPACT_NULLABLE_BYTES" ->
                ByteBuffer.wrap(bytes(random.nextInt(40)));
            case "RECORDS", "COMPACT_RECORDS", "NULLABLE_RECORDS", "COMPACT_NULLABLE_RECORDS" ->
                MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(random.nextInt(80))));
            default -> throw new IllegalStateException("no value for type " + name);
        };
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private String text() {
        String letters = "abcdefghijklmnopqrstuvwxyz-_.äß界";
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(random.nextInt(20) == 0 ? 200 : 12); n > 0; n--) {
            text.append(letters.charAt(random.nextInt(letters.length())));
        }
        return text.toString();
    }
}
