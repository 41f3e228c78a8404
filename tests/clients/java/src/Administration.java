import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** The administrative half of the contract; each request has an admin client of its own. */
final class Administration {
    private final String bootstrap;

    Administration(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    void answer(JsonNode request, ObjectNode answer) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        String topic = request.path("topic").asText();
        try (Admin admin = Admin.create(properties)) {
            switch (request.get("op").asText()) {
                case "create" -> admin.createTopics(List.of(
                    new NewTopic(topic, request.get("partitions").asInt(), (short) 1)
                        .configs(config(request)))).all().get();
                case "describe" -> answer.put("partitions",
                    admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic)
                        .partitions().size());
                case "config" -> describeConfig(admin, topic, answer.putObject("config"));
                case "alter" -> alter(admin, topic, config(request));
                case "delete" -> admin.deleteTopics(List.of(topic)).all().get();
                case "metadata" -> metadata(admin, request.get("prefix").asText(), answer);
                case "topics" -> topics(admin, answer.putArray("topics"));
                case "delete_records" -> answer.put("start",
                    deleteRecords(admin, topic, request.get("before").asLong()));
                case "cluster" -> answer.put("id", admin.describeCluster().clusterId().get())
                    .put("nodes", admin.describeCluster().nodes().get().size());
                default -> throw new IllegalArgumentException("unknown request " + request);
            }
        }
    }

    private static Map<String, String> config(JsonNode request) {
        Map<String, String> config = new HashMap<>();
        request.path("config").fields().forEachRemaining(
            option -> config.put(option.getKey(), option.getValue().asText()));
        return config;
    }

    private static void describeConfig(Admin admin, String topic, ObjectNode config)
            throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.describeConfigs(List.of(resource)).all().get().get(resource).entries()
            .forEach(option -> config.put(option.name(), option.value()));
    }

    private static void alter(Admin admin, String topic, Map<String, String> config)
            throws Exception {
        List<AlterConfigOp> changes = new ArrayList<>();
        config.forEach((name, value) -> changes.add(
            new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get();
    }

    private static void metadata(Admin admin, String prefix, ObjectNode answer) throws Exception {
        List<String> names = admin.listTopics().names().get().stream()
            .filter(name -> name.startsWith(prefix)).toList();
        int partitions = 0;
        for (TopicDescription topic : admin.describeTopics(names).allTopicNames().get().values()) {
            partitions += topic.partitions().size();
        }
        answer.put("topics", names.size()).put("partitions", partitions);
    }

    private static void topics(Admin admin, ArrayNode topics) throws Exception {
        admin.listTopics().names().get().forEach(topics::add);
    }

    private static long deleteRecords(Admin admin, String topic, long before) throws Exception {
        TopicPartition at = new TopicPartition(topic, 0);
        return admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(before)))
            .lowWatermarks().get(at).get().lowWatermark();
    }
}
