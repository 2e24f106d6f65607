import java.time.Duration;
import java.util.function.Function;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.ValueTransformerWithKeySupplier;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.state.KeyValueStore;

/** The table transformers that golden cases name. Most have one key-value store of their own, whose keys are as cases print them. */
final class Transformers {
    private Transformers() {}

    static ValueTransformerWithKeySupplier<Object, String, String> named(String name, String store, long everyMs) {
        return switch (name) {
            case "calls" -> () -> new Stored(store, 0, Transformers::calls);
            case "previous" -> () -> new Stored(store, 0, Transformers::previous);
            case "ticks" -> () -> new Stored(store, everyMs, Transformers::ticks);
            case "presence" -> Presence::new;
            default -> throw new IllegalArgumentException("no transformer is called " + name);
        };
    }

    private record Call(String key, String value, KeyValueStore<String, String> store) {}

    /** Says how often it was called for the key. */
    private static String calls(Call call) {
        return call.value() + "#" + increment(call.store(), call.key());
    }

    /** What the key was at the last call, and what it is; a row that is gone stays so, and is forgotten. */
    private static String previous(Call call) {
        String before = call.store().get(call.key());
        call.store().put(call.key(), call.value());
        return call.value() == null ? null : before + ">" + call.value();
    }

    /** Says how often the time has passed. */
    private static String ticks(Call call) {
        return call.value() + "@" + call.store().get("ticks");
    }

    private static String increment(KeyValueStore<String, String> store, String key) {
        String counted = store.get(key);
        String count = String.valueOf(counted == null ? 1 : Long.parseLong(counted) + 1);
        store.put(key, count);
        return count;
    }

    /** Says of every row whether it is there; without a store, so that a join may ask for rows that are not kept. */
    private static final class Presence implements ValueTransformerWithKey<Object, String, String> {
        @Override
        public void init(ProcessorContext context) {}

        @Override
        public String transform(Object key, String value) {
            return value == null ? "none" : value + "!";
        }

        @Override
        public void close() {}
    }

    private static final class Stored implements ValueTransformerWithKey<Object, String, String> {
        private final String name;
        private final long everyMs;
        private final Function<Call, String> transform;
        private KeyValueStore<String, String> store;

        Stored(String name, long everyMs, Function<Call, String> transform) {
            this.name = name;
            this.everyMs = everyMs;
            this.transform = transform;
        }

        @Override
        public void init(ProcessorContext context) {
            store = context.getStateStore(name);
            if (everyMs == 0) return;
            context.schedule(Duration.ofMillis(everyMs), PunctuationType.STREAM_TIME, time -> increment(store, "ticks"));
        }

        @Override
        public String transform(Object key, String value) {
            return transform.apply(new Call(GoldenTopology.keyText(key), value, store));
        }

        @Override
        public void close() {}
    }
}
