import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsConfig.InternalConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/**
 * Runs the golden cases of files on Kafka Streams' test driver and writes into each what Kafka Streams answered: `output` and `stores`,
 * or `refused` where Kafka Streams does not build or run the topology. Nothing else of a case changes.
 */
public final class RecordGolden {
    private static final ObjectMapper JSON = new ObjectMapper();

    private RecordGolden() {}

    public static void main(String[] files) throws IOException {
        Path state = Files.createTempDirectory("golden-state");
        try {
            for (String file : files) recordFile(new File(file), state);
        } finally {
            deleteAll(state);
        }
    }

    private static void recordFile(File file, Path state) throws IOException {
        List<String> lines = new ArrayList<>();
        for (JsonNode golden : JSON.readTree(file)) lines.add(JSON.writeValueAsString(record((ObjectNode) golden, state)));
        Files.writeString(file.toPath(), "[\n" + String.join(",\n", lines) + "\n]\n");
    }

    private static ObjectNode record(ObjectNode golden, Path state) throws IOException {
        golden.remove(List.of("output", "stores", "refused"));
        Path directory = Files.createTempDirectory(state, "case");
        try (TopologyTestDriver driver = open(golden, directory)) {
            ArrayNode output = feed(golden, driver);
            ObjectNode stores = stores(golden, driver);
            golden.set("output", output);
            if (!stores.isEmpty()) golden.set("stores", stores);
        } catch (RuntimeException | AssertionError refused) {
            Throwable cause = refused;
            while (cause.getCause() != null) cause = cause.getCause();
            golden.put("refused", cause.toString());
        }
        return golden;
    }

    private static TopologyTestDriver open(ObjectNode golden, Path directory) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "golden");
        config.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        config.put(InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0L);
        return new TopologyTestDriver(GoldenTopology.of(golden.get("topology")), config, Instant.ofEpochMilli(0));
    }

    private static ArrayNode feed(ObjectNode golden, TopologyTestDriver driver) {
        Map<String, TestInputTopic<String, String>> inputs = new LinkedHashMap<>();
        Map<String, TestOutputTopic<String, String>> outputs = new LinkedHashMap<>();
        for (JsonNode node : golden.get("topology")) {
            if (!node.get("op").asText().equals("to")) continue;
            outputs.computeIfAbsent(node.get("topic").asText(), topic ->
                driver.createOutputTopic(topic, new StringDeserializer(), new StringDeserializer()));
        }
        ArrayNode output = JSON.createArrayNode();
        int index = 0;
        for (JsonNode input : golden.get("input")) {
            if (input.isObject()) driver.advanceWallClockTime(Duration.ofMillis(input.get("wallClockMs").asLong()));
            else {
                inputs.computeIfAbsent(input.get(0).asText(), topic ->
                        driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()))
                    .pipeInput(input.get(1).textValue(), input.get(2).textValue(), input.get(3).asLong());
            }
            for (Map.Entry<String, TestOutputTopic<String, String>> topic : outputs.entrySet()) {
                for (var record : topic.getValue().readRecordsToList()) {
                    output.add(JSON.createArrayNode().add(index).add(topic.getKey())
                        .add(record.key()).add(record.value()).add(record.timestamp()));
                }
            }
            index++;
        }
        return output;
    }

    private static ObjectNode stores(ObjectNode golden, TopologyTestDriver driver) {
        ObjectNode stores = JSON.createObjectNode();
        for (JsonNode node : golden.get("topology")) {
            if (!node.has("store")) continue;
            String name = node.get("store").asText();
            var store = driver.<String, Object>getTimestampedKeyValueStore(name);
            if (store == null) continue;
            ArrayNode entries = JSON.createArrayNode();
            try (var all = store.all()) {
                all.forEachRemaining(entry -> {
                    ValueAndTimestamp<Object> value = entry.value;
                    entries.add(JSON.createArrayNode().add(entry.key).add(String.valueOf(value.value())).add(value.timestamp()));
                });
            }
            stores.set(name, entries);
        }
        return stores;
    }

    private static void deleteAll(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
        }
    }
}
