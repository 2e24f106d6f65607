import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

/** Answers questions about Avro, one JSON object a line on standard input, one a line on standard output. */
public final class AvroPeer {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var output = new StringBuilder();
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      var answer = JSON.createObjectNode();
      try {
        answer(JSON.readTree(line), answer);
      } catch (Exception error) {
        answer.put("error", String.valueOf(error.getMessage()));
      }
      output.append(JSON.writeValueAsString(answer)).append('\n');
    }
    System.out.write(output.toString().getBytes(StandardCharsets.UTF_8));
    System.out.flush();
  }

  private static void answer(JsonNode question, ObjectNode answer) throws Exception {
    switch (question.get("question").asText()) {
      case "canonical" -> answer.put("schema", schema(question, "schema").toString());
      case "compatibility" -> compatibility(question, answer);
      case "encode" -> encode(question, answer);
      case "resolve" -> resolve(question, answer);
      default -> throw new IllegalArgumentException("no such question");
    }
  }

  private static void compatibility(JsonNode question, ObjectNode answer) {
    var result = SchemaCompatibility
        .checkReaderWriterCompatibility(schema(question, "reader"), schema(question, "writer"))
        .getResult();
    var found = answer.putArray("incompatibilities");
    for (var one : result.getIncompatibilities()) {
      found.addObject().put("type", one.getType().name()).put("path", one.getLocation());
    }
  }

  /** Avro's JSON encoding of a value to its binary one. */
  private static void encode(JsonNode question, ObjectNode answer) throws Exception {
    var schema = schema(question, "schema");
    var value = new GenericDatumReader<Object>(schema)
        .read(null, DecoderFactory.get().jsonDecoder(schema, question.get("json").asText()));
    var bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    new GenericDatumWriter<Object>(schema).write(value, encoder);
    encoder.flush();
    answer.put("hex", HexFormat.of().formatHex(bytes.toByteArray()));
  }

  /** Binary data of the writer's schema to JSON of the reader's. */
  private static void resolve(JsonNode question, ObjectNode answer) throws Exception {
    var reader = schema(question, "reader");
    var bytes = HexFormat.of().parseHex(question.get("hex").asText());
    var value = new GenericDatumReader<Object>(schema(question, "writer"), reader)
        .read(null, DecoderFactory.get().binaryDecoder(bytes, null));
    var json = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(reader, json);
    new GenericDatumWriter<Object>(reader).write(value, encoder);
    encoder.flush();
    answer.put("json", json.toString(StandardCharsets.UTF_8));
  }

  private static Schema schema(JsonNode question, String name) {
    return new Schema.Parser().parse(question.get(name).asText());
  }
}
