import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.Stores;

/** Writes a golden case's topology down in Kafka Streams' DSL. Tables of windows have windowed keys until they become streams. */
final class GoldenTopology {
    private static final Serde<String> TEXT = Serdes.String();
    private static final Initializer<String> INITIAL = () -> "0";
    private static final Aggregator<String, String, String> ADDER = (key, value, aggregate) -> aggregate + "+" + value;
    private static final Aggregator<String, String, String> SUBTRACTOR = (key, value, aggregate) -> aggregate + "-" + value;
    private static final Merger<String, String> MERGER = (key, left, right) -> "(" + left + "&" + right + ")";
    private static final Reducer<String> REDUCER = (reduced, value) -> reduced + "," + value;
    private static final Reducer<String> REDUCE_SUBTRACTOR = (reduced, value) -> reduced + "-" + value;
    private static final ValueJoiner<String, String, String> JOINER = (left, right) -> left + "+" + right;

    private final StreamsBuilder builder = new StreamsBuilder();
    private final Map<String, Object> results = new HashMap<>();
    private final Set<String> windowed = new HashSet<>();

    private GoldenTopology() {}

    static Topology of(JsonNode nodes) {
        GoldenTopology topology = new GoldenTopology();
        for (JsonNode node : nodes) {
            Object made = topology.make(node);
            if (made == null) continue;
            topology.results.put(text(node, "id"), made);
            if (made instanceof KTable<?, ?> && topology.isOfWindows(node)) topology.windowed.add(text(node, "id"));
        }
        return topology.builder.build();
    }

    /** A key as cases print it. */
    static String keyText(Object key) {
        if (!(key instanceof Windowed<?> windowed)) return String.valueOf(key);
        return windowed.key() + "@" + windowed.window().start() + "/" + windowed.window().end();
    }

    private boolean isOfWindows(JsonNode node) {
        String read = node.path(node.has("left") ? "left" : "from").asText();
        Object from = results.get(read);
        return windowed.contains(read)
            || from instanceof TimeWindowedKStream || from instanceof SessionWindowedKStream
            || from instanceof TimeWindowedCogroupedKStream || from instanceof SessionWindowedCogroupedKStream;
    }

    private Object make(JsonNode node) {
        String op = node.get("op").asText();
        return switch (op) {
            case "stream" -> builder.stream(text(node, "topic"), Consumed.with(TEXT, TEXT));
            case "table" -> builder.table(text(node, "topic"), Consumed.with(TEXT, TEXT), stored(node));
            case "globalTable" -> builder.globalTable(text(node, "topic"), Consumed.with(TEXT, TEXT));
            case "versionedTable" -> builder.table(text(node, "topic"), Consumed.with(TEXT, TEXT), Materialized.as(
                Stores.persistentVersionedKeyValueStore(
                    node.has("store") ? text(node, "store") : "versioned-" + text(node, "id"), millis(node, "historyMs"))));
            case "filter", "filterNot", "mapValues" -> filterOrMap(op, node);
            case "transformValues" -> transformValues(node);
            case "selectKey" -> stream(node).selectKey((key, value) -> keyFunction(node, "fn").apply(value));
            case "map" -> stream(node).map((key, value) -> KeyValue.pair(
                keyFunction(node, "keyFn").apply(value), Functions.mapper(text(node, "fn")).apply(key, value)));
            case "flatMap" -> stream(node).flatMap((key, value) ->
                List.of(KeyValue.pair(key + "1", value), KeyValue.pair(key + "2", value)));
            case "flatMapValues" -> stream(node).flatMapValues(value ->
                value == null ? List.<String>of() : List.of(value, value + value));
            case "merge" -> streamNamed(node.get("from").get(0).asText()).merge(streamNamed(node.get("from").get(1).asText()));
            case "split" -> split(node);
            case "repartition" -> stream(node).repartition(Repartitioned.with(TEXT, TEXT));
            case "toTable" -> stream(node).toTable(stored(node));
            case "toStream" -> toStream(node);
            case "groupByKey" -> stream(node).groupByKey(Grouped.with(TEXT, TEXT));
            case "groupBy" -> groupBy(node);
            case "windowedBy" -> windowedBy(node);
            case "count", "reduce", "aggregate" -> aggregation(op, node);
            case "cogroup" -> cogroup(node);
            case "suppress" -> suppress(node);
            case "join", "leftJoin", "outerJoin" -> join(op, node);
            case "process" -> stream(node).process(
                Processors.named(text(node, "fn"), text(node, "id"), node.path("everyMs").asLong()), Named.as(text(node, "id")));
            case "to" -> to(node);
            default -> throw new IllegalArgumentException("there is no operator " + op);
        };
    }

    private Object to(JsonNode node) {
        stream(node).to(text(node, "topic"), Produced.with(TEXT, TEXT));
        return null;
    }

    private Object filterOrMap(String op, JsonNode node) {
        String fn = text(node, "fn");
        if (from(node) instanceof KTable<?, ?>) {
            KTable<Object, String> table = table(node.get("from").asText());
            if (op.equals("mapValues")) {
                return node.has("store")
                    ? table.mapValues((key, value) -> Functions.mapper(fn).apply(key, value), stored(node))
                    : table.mapValues((key, value) -> Functions.mapper(fn).apply(key, value));
            }
            if (node.has("store")) {
                return op.equals("filter")
                    ? table.filter(Functions.predicate(fn), stored(node))
                    : table.filterNot(Functions.predicate(fn), stored(node));
            }
            return op.equals("filter") ? table.filter(Functions.predicate(fn)) : table.filterNot(Functions.predicate(fn));
        }
        KStream<String, String> stream = stream(node);
        if (op.equals("mapValues")) return stream.mapValues((key, value) -> Functions.mapper(fn).apply(key, value));
        return op.equals("filter") ? stream.filter(Functions.predicate(fn)) : stream.filterNot(Functions.predicate(fn));
    }

    private Object transformValues(JsonNode node) {
        String state = text(node, "id") + "-state";
        builder.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(state), Serdes.String(), Serdes.String()));
        var transformers = Transformers.named(text(node, "fn"), state, node.path("everyMs").asLong());
        KTable<Object, String> table = table(text(node, "from"));
        return node.has("store")
            ? table.transformValues(transformers, stored(node), state)
            : table.transformValues(transformers, state);
    }

    private Object split(JsonNode node) {
        String prefix = text(node, "id") + "-";
        BranchedKStream<String, String> split = stream(node).split(Named.as(prefix));
        for (JsonNode branch : node.get("branches")) {
            split = split.branch(Functions.predicate(text(branch, "fn")), Branched.as(text(branch, "id")));
        }
        Map<String, KStream<String, String>> branches =
            node.has("default") ? split.defaultBranch(Branched.as(text(node, "default"))) : split.noDefaultBranch();
        branches.forEach((name, stream) -> results.put(name.substring(prefix.length()), stream));
        return null;
    }

    private Object toStream(JsonNode node) {
        KTable<Object, String> table = table(text(node, "from"));
        return windowed.contains(text(node, "from")) ? table.toStream((key, value) -> keyText(key)) : table.toStream();
    }

    private Object groupBy(JsonNode node) {
        UnaryOperator<String> newKey = keyFunction(node, "fn");
        if (from(node) instanceof KTable<?, ?>) {
            KTable<Object, String> table = table(node.get("from").asText());
            return table.groupBy((key, value) -> KeyValue.pair(newKey.apply(value), value), Grouped.with(TEXT, TEXT));
        }
        return stream(node).groupBy((key, value) -> newKey.apply(value), Grouped.with(TEXT, TEXT));
    }

    private Object cogroup(JsonNode node) {
        CogroupedKStream<String, String> cogrouped = null;
        for (JsonNode name : node.get("from")) {
            String id = name.asText();
            KGroupedStream<String, String> grouped = as(results.get(id));
            Aggregator<String, String, String> adder = (key, value, aggregate) -> aggregate + id + value;
            cogrouped = cogrouped == null ? grouped.cogroup(adder) : cogrouped.cogroup(grouped, adder);
        }
        return cogrouped;
    }

    private Object windowedBy(JsonNode node) {
        JsonNode window = node.get("window");
        Duration grace = millis(window, "graceMs");
        boolean isFinal = "final".equals(node.path("emit").asText());
        EmitStrategy emit = isFinal ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
        if (from(node) instanceof KGroupedStream<?, ?>) {
            KGroupedStream<String, String> grouped = as(from(node));
            return switch (text(window, "type")) {
                case "session" -> grouped.windowedBy(session(window, grace)).emitStrategy(emit);
                case "sliding" -> grouped.windowedBy(sliding(window, grace)).emitStrategy(emit);
                case "unlimited" -> grouped.windowedBy(unlimited(window));
                default -> grouped.windowedBy(aligned(window, grace)).emitStrategy(emit);
            };
        }
        if (isFinal) throw new IllegalArgumentException("a cogrouped stream has no emit strategy");
        CogroupedKStream<String, String> cogrouped = as(from(node));
        return switch (text(window, "type")) {
            case "session" -> cogrouped.windowedBy(session(window, grace));
            case "sliding" -> cogrouped.windowedBy(sliding(window, grace));
            case "unlimited" -> cogrouped.windowedBy(unlimited(window));
            default -> cogrouped.windowedBy(aligned(window, grace));
        };
    }

    private static SessionWindows session(JsonNode window, Duration grace) {
        return SessionWindows.ofInactivityGapAndGrace(millis(window, "gapMs"), grace);
    }

    private static SlidingWindows sliding(JsonNode window, Duration grace) {
        return SlidingWindows.ofTimeDifferenceAndGrace(millis(window, "differenceMs"), grace);
    }

    private static UnlimitedWindows unlimited(JsonNode window) {
        return UnlimitedWindows.of().startOn(Instant.ofEpochMilli(window.get("startMs").asLong()));
    }

    private static TimeWindows aligned(JsonNode window, Duration grace) {
        TimeWindows tumbling = TimeWindows.ofSizeAndGrace(millis(window, "sizeMs"), grace);
        return window.has("advanceMs") ? tumbling.advanceBy(millis(window, "advanceMs")) : tumbling;
    }

    private Object aggregation(String op, JsonNode node) {
        Object from = from(node);
        if (from instanceof KGroupedTable<?, ?>) {
            KGroupedTable<String, String> grouped = as(from);
            return switch (op) {
                case "count" -> decimal(grouped.count(counted(node)));
                case "reduce" -> grouped.reduce(REDUCER, REDUCE_SUBTRACTOR, stored(node));
                default -> grouped.aggregate(INITIAL, ADDER, SUBTRACTOR, stored(node));
            };
        }
        if (from instanceof TimeWindowedKStream<?, ?>) {
            TimeWindowedKStream<String, String> windowed = as(from);
            return switch (op) {
                case "count" -> decimal(windowed.count(counted(node)));
                case "reduce" -> windowed.reduce(REDUCER, stored(node));
                default -> windowed.aggregate(INITIAL, ADDER, stored(node));
            };
        }
        if (from instanceof SessionWindowedKStream<?, ?>) {
            SessionWindowedKStream<String, String> windowed = as(from);
            return switch (op) {
                case "count" -> decimal(windowed.count(counted(node)));
                case "reduce" -> windowed.reduce(REDUCER, stored(node));
                default -> windowed.aggregate(INITIAL, ADDER, MERGER, stored(node));
            };
        }
        if (from instanceof KGroupedStream<?, ?>) {
            KGroupedStream<String, String> grouped = as(from);
            return switch (op) {
                case "count" -> decimal(grouped.count(counted(node)));
                case "reduce" -> grouped.reduce(REDUCER, stored(node));
                default -> grouped.aggregate(INITIAL, ADDER, stored(node));
            };
        }
        return cogroupedAggregation(from, node);
    }

    private Object cogroupedAggregation(Object from, JsonNode node) {
        if (from instanceof TimeWindowedCogroupedKStream<?, ?>) {
            return GoldenTopology.<TimeWindowedCogroupedKStream<String, String>>as(from).aggregate(INITIAL, stored(node));
        }
        if (from instanceof SessionWindowedCogroupedKStream<?, ?>) {
            SessionWindowedCogroupedKStream<String, String> windowed = as(from);
            return windowed.aggregate(INITIAL, MERGER, stored(node));
        }
        return GoldenTopology.<CogroupedKStream<String, String>>as(from).aggregate(INITIAL, stored(node));
    }

    private static <K> KTable<K, String> decimal(KTable<K, Long> counts) {
        return counts.mapValues(count -> count == null ? null : String.valueOf(count));
    }

    private Object suppress(JsonNode node) {
        if (node.has("untilTimeLimitMs")) {
            KTable<Object, String> table = table(node.get("from").asText());
            var buffer = node.has("maxRecords")
                ? BufferConfig.maxRecords(node.get("maxRecords").asLong()) : BufferConfig.unbounded();
            return table.suppress(Suppressed.untilTimeLimit(millis(node, "untilTimeLimitMs"), buffer));
        }
        KTable<Windowed<String>, String> table = as(from(node));
        return table.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()));
    }

    private Object join(String op, JsonNode node) {
        Object left = results.get(text(node, "left"));
        Object right = results.get(text(node, "right"));
        if (left instanceof KTable<?, ?>) return joinTables(op, node);
        KStream<String, String> stream = as(left);
        if (right instanceof GlobalKTable<?, ?>) {
            GlobalKTable<String, String> global = as(right);
            UnaryOperator<String> key = keyFunction(node, "keyFn");
            if (op.equals("join")) return stream.join(global, (own, value) -> key.apply(value), JOINER);
            if (op.equals("leftJoin")) return stream.leftJoin(global, (own, value) -> key.apply(value), JOINER);
        }
        if (right instanceof KTable<?, ?>) {
            KTable<String, String> table = as(right);
            Joined<String, String, String> joined = Joined.with(TEXT, TEXT, TEXT);
            if (node.has("graceMs")) joined = joined.withGracePeriod(millis(node, "graceMs"));
            if (op.equals("join")) return stream.join(table, JOINER, joined);
            if (op.equals("leftJoin")) return stream.leftJoin(table, JOINER, joined);
        }
        JsonNode within = node.get("within");
        KStream<String, String> other = as(right);
        Duration before = millis(within, "beforeMs");
        Duration after = millis(within, "afterMs");
        JoinWindows exact = JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, millis(within, "graceMs"));
        // A window must not end before it begins, not even on the way.
        JoinWindows windows = before.isNegative() ? exact.after(after).before(before) : exact.before(before).after(after);
        StreamJoined<String, String, String> joined = StreamJoined.with(TEXT, TEXT, TEXT);
        return switch (op) {
            case "join" -> stream.join(other, JOINER, windows, joined);
            case "leftJoin" -> stream.leftJoin(other, JOINER, windows, joined);
            default -> stream.outerJoin(other, JOINER, windows, joined);
        };
    }

    private Object joinTables(String op, JsonNode node) {
        KTable<Object, String> left = table(text(node, "left"));
        KTable<Object, String> right = table(text(node, "right"));
        if (node.has("foreignKeyFn")) {
            UnaryOperator<String> key = keyFunction(node, "foreignKeyFn");
            return switch (op) {
                case "join" -> node.has("store")
                    ? left.join(right, value -> (Object) key.apply(value), JOINER, stored(node))
                    : left.join(right, value -> (Object) key.apply(value), JOINER);
                case "leftJoin" -> node.has("store")
                    ? left.leftJoin(right, value -> (Object) key.apply(value), JOINER, stored(node))
                    : left.leftJoin(right, value -> (Object) key.apply(value), JOINER);
                default -> throw new IllegalArgumentException("there is no outer join by a foreign key");
            };
        }
        return switch (op) {
            case "join" -> node.has("store") ? left.join(right, JOINER, stored(node)) : left.join(right, JOINER);
            case "leftJoin" -> node.has("store") ? left.leftJoin(right, JOINER, stored(node)) : left.leftJoin(right, JOINER);
            default -> node.has("store") ? left.outerJoin(right, JOINER, stored(node)) : left.outerJoin(right, JOINER);
        };
    }

    /** Keys in stores are text, but for those of windows, which Kafka Streams wraps by itself. */
    private static <K, S extends StateStore> Materialized<K, String, S> stored(JsonNode node) {
        if (node.has("historyMs")) {
            Materialized<K, String, S> versioned = as(Materialized.<K, String>as(
                Stores.persistentVersionedKeyValueStore(text(node, "store"), millis(node, "historyMs"))));
            return versioned.withKeySerde(as(TEXT)).withValueSerde(TEXT);
        }
        Materialized<K, String, S> stored = node.has("store") ? Materialized.as(text(node, "store")) : Materialized.with(as(TEXT), TEXT);
        return stored.withKeySerde(as(TEXT)).withValueSerde(TEXT);
    }

    private static <S extends StateStore> Materialized<String, Long, S> counted(JsonNode node) {
        Materialized<String, Long, S> stored =
            node.has("store") ? Materialized.as(text(node, "store")) : Materialized.with(TEXT, Serdes.Long());
        return stored.withKeySerde(TEXT);
    }

    private Object from(JsonNode node) {
        return results.get(text(node, "from"));
    }

    private KStream<String, String> stream(JsonNode node) {
        return streamNamed(text(node, "from"));
    }

    private KStream<String, String> streamNamed(String id) {
        return as(results.get(id));
    }

    private KTable<Object, String> table(String id) {
        return as(results.get(id));
    }

    private static UnaryOperator<String> keyFunction(JsonNode node, String field) {
        return Functions.keyFunction(text(node, field));
    }

    private static String text(JsonNode node, String field) {
        return node.get(field).asText();
    }

    private static Duration millis(JsonNode node, String field) {
        return Duration.ofMillis(node.get(field).asLong());
    }

    /** The steps of a case are of types that only the case knows; a wrong one fails where it is used, with its class. */
    @SuppressWarnings("unchecked")
    private static <T> T as(Object result) {
        return (T) Objects.requireNonNull(result, "a node reads what is not there");
    }
}
