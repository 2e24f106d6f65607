import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Predicate;

/** The functions that golden cases name, over strings that may be null. */
final class Functions {
    private static final Map<String, Predicate<Object, String>> PREDICATES = Map.of(
        "valueIsEven", (key, value) -> value != null && numberIn(value) % 2 == 0,
        "valueIsOdd", (key, value) -> value != null && numberIn(value) % 2 == 1,
        "valueBelow50", (key, value) -> value != null && numberIn(value) < 50,
        "keyIsA", (key, value) -> "a".equals(key));

    private static final Map<String, KeyValueMapper<Object, String, String>> MAPPERS = Map.of(
        "bracket", (key, value) -> value == null ? null : "[" + value + "]",
        "withKey", (key, value) -> GoldenTopology.keyText(key) + ":" + value,
        "evenElseNull", (key, value) -> value != null && numberIn(value) % 2 == 0 ? value : null,
        "lastDigit", (key, value) -> value == null ? null : String.valueOf(numberIn(value) % 10));

    private static final Map<String, UnaryOperator<String>> KEY_FUNCTIONS = Map.of(
        "valueMod3", value -> remainder(value, "m", 3, 0),
        "valueMod3OrNull", value -> remainder(value, "m", 3, 3),
        "foreign", value -> remainder(value, "f", 4, 0),
        "foreignOrNull", value -> remainder(value, "f", 4, 5));

    private Functions() {}

    static Predicate<Object, String> predicate(String name) {
        return named(PREDICATES, name);
    }

    static KeyValueMapper<Object, String, String> mapper(String name) {
        return named(MAPPERS, name);
    }

    static UnaryOperator<String> keyFunction(String name) {
        return named(KEY_FUNCTIONS, name);
    }

    private static <F> F named(Map<String, F> functions, String name) {
        return Objects.requireNonNull(functions.get(name), () -> "no function is called " + name);
    }

    private static int numberIn(String text) {
        int number = 0;
        for (char character : text.toCharArray()) {
            if (character >= '0' && character <= '9') number = (10 * number + character - '0') % 1_000_003;
        }
        return number;
    }

    private static String remainder(String value, String prefix, int modulus, int nullForMultiplesOf) {
        if (value == null) return null;
        int number = numberIn(value);
        return nullForMultiplesOf > 0 && number % nullForMultiplesOf == 0 ? null : prefix + number % modulus;
    }
}
