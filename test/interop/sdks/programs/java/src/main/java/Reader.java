// Reads the requests of a file with CloudEvents for Java, and prints what became of each.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.http.HttpMessageFactory;
import java.io.File;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

public class Reader {
  static final ObjectMapper json = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    ObjectNode outcomes = json.createObjectNode();
    for (JsonNode request : json.readTree(new File(arguments[0]))) {
      if (request.get("format").asText().equals("raw")) continue;
      outcomes.put(request.get("name").asText(), outcome(request));
    }
    System.out.println(json.writeValueAsString(outcomes));
  }

  static String outcome(JsonNode request) {
    Map<String, String> headers = new HashMap<>();
    request.get("headers").fields().forEachRemaining(
        field -> headers.put(field.getKey(), field.getValue().asText()));
    byte[] body = Base64.getDecoder().decode(request.get("body").asText());
    try {
      CloudEvent event = HttpMessageFactory.createReader(headers, body).toEvent();
      byte[] data = event.getData() == null ? new byte[0] : event.getData().toBytes();
      JsonNode expected = request.get("json");
      if (expected != null) return json.readTree(data).equals(expected) ? "yes" : "other data";
      byte[] payload = Base64.getDecoder().decode(request.get("payload").asText());
      return java.util.Arrays.equals(data, payload) ? "yes" : "other data";
    } catch (Exception error) {
      return "no";
    }
  }
}
