import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The processors that golden cases name. Each has one key-value store of its own and ignores null keys. */
final class Processors {
    private Processors() {}

    static ProcessorSupplier<String, String, String, String> named(String name, String id, long everyMs) {
        String store = id + "-state";
        return switch (name) {
            case "runningCount" -> supplier(store, () -> new RunningCount(store));
            case "deduplicate" -> supplier(store, () -> new Deduplicate(store));
            case "countsEachStreamTime" -> supplier(store, () -> new Counts(store, everyMs, PunctuationType.STREAM_TIME));
            case "countsEachWallClock" -> supplier(store, () -> new Counts(store, everyMs, PunctuationType.WALL_CLOCK_TIME));
            default -> throw new IllegalArgumentException("no processor is called " + name);
        };
    }

    private static ProcessorSupplier<String, String, String, String> supplier(
            String store, Supplier<Processor<String, String, String, String>> make) {
        return new ProcessorSupplier<>() {
            @Override
            public Processor<String, String, String, String> get() {
                return make.get();
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(store), Serdes.String(), Serdes.String()));
            }
        };
    }

    private abstract static class Stored extends ContextualProcessor<String, String, String, String> {
        private final String name;
        KeyValueStore<String, String> store;

        Stored(String name) {
            this.name = name;
        }

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            store = context.getStateStore(name);
        }

        String increment(String key) {
            String counted = store.get(key);
            String count = String.valueOf(counted == null ? 1 : Long.parseLong(counted) + 1);
            store.put(key, count);
            return count;
        }
    }

    private static final class RunningCount extends Stored {
        RunningCount(String name) {
            super(name);
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() != null) context().forward(record.withValue(increment(record.key())));
        }
    }

    private static final class Deduplicate extends Stored {
        Deduplicate(String name) {
            super(name);
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() == null || Objects.equals(store.get(record.key()), record.value())) return;
            store.put(record.key(), record.value());
            context().forward(record);
        }
    }

    private static final class Counts extends Stored {
        private final long everyMs;
        private final PunctuationType clock;

        Counts(String name, long everyMs, PunctuationType clock) {
            super(name);
            this.everyMs = everyMs;
            this.clock = clock;
        }

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            context.schedule(Duration.ofMillis(everyMs), clock, timestamp -> {
                try (var all = store.all()) {
                    all.forEachRemaining(entry -> context.forward(new Record<>(entry.key, entry.value, timestamp)));
                }
            });
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() != null) increment(record.key());
        }
    }
}
