// A relay with Causeway's promise and nothing else, for comparison: MQTT 5 at QoS 1 to HTTP, in order for each topic, batches
// of 500 with 4 in flight, PUBACK in order of arrival once the handler has answered 2xx. HiveMQ's MQTT client reads, four threads
// send; one lock. Arguments: broker's host:port, client id, filter, handler's URL.
import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.datatypes.MqttTopic;
import com.hivemq.client.mqtt.mqtt5.Mqtt5AsyncClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

public class Relay {
  static final int MAX_BATCH = 500;
  static final int IN_FLIGHT = 4;
  static final long LINGER_NANOS = 5_000_000;

  static final int WINDOW = 16_000;

  static final class Topic {
    final byte[] name;
    final ArrayDeque<Message> waiting = new ArrayDeque<>();
    boolean busy;

    Topic(MqttTopic topic) {
      name = topic.toString().getBytes(StandardCharsets.UTF_8);
    }
  }

  static final class Message {
    final Topic topic;
    final Mqtt5Publish publish;
    boolean settled;

    Message(Topic topic, Mqtt5Publish publish) {
      this.topic = topic;
      this.publish = publish;
    }
  }

  final ReentrantLock lock = new ReentrantLock();
  final Condition ready = lock.newCondition();
  final Condition room = lock.newCondition();
  final Map<MqttTopic, Topic> topics = new HashMap<>();
  /** What is not acknowledged, in the order of arrival. */
  final ArrayDeque<Message> window = new ArrayDeque<>();
  final ArrayDeque<Topic> readyTopics = new ArrayDeque<>();
  int readyMessages;
  long oldestNanos;
  final byte[] source;
  final URI url;
  final HttpClient handler = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  public static void main(String[] args) {
    String[] broker = args[0].split(":");
    Relay relay = new Relay("mqtt://" + args[0] + "/" + args[1], URI.create(args[3]));
    Mqtt5AsyncClient client =
        Mqtt5Client.builder()
            .identifier(args[1])
            .serverHost(broker[0])
            .serverPort(Integer.parseInt(broker[1]))
            .addDisconnectedListener(
                context -> {
                  context.getCause().printStackTrace();
                  Runtime.getRuntime().halt(1);
                })
            .buildAsync();
    client.publishes(MqttGlobalPublishFilter.ALL, relay::add, Runnable::run, true);
    for (int number = 0; number < IN_FLIGHT; number++) {
      int sender = number;
      new Thread(() -> relay.send(sender)).start();
    }
    client.connectWith().cleanStart(false).sessionExpiryInterval(3600).send().join();
    client.subscribeWith().topicFilter(args[2]).qos(MqttQos.AT_LEAST_ONCE).send().join();
  }

  Relay(String source, URI url) {
    this.source = source.getBytes(StandardCharsets.UTF_8);
    this.url = url;
  }

  /**
   * On the client's event loop, which reads no more of the socket while this waits for room. A receive maximum is no
   * help: mosquitto 2.0.11 sends its whole queue in spite of it, and the client disconnects where it is exceeded.
   */
  void add(Mqtt5Publish publish) {
    lock.lock();
    try {
      while (window.size() >= WINDOW) room.awaitUninterruptibly();
      Topic topic = topics.computeIfAbsent(publish.getTopic(), Topic::new);
      Message message = new Message(topic, publish);
      window.add(message);
      topic.waiting.add(message);
      if (topic.busy) return;
      if (topic.waiting.size() == 1) readyTopics.add(topic);
      if (readyMessages++ == 0) oldestNanos = System.nanoTime();
      if (readyMessages == 1 || readyMessages == MAX_BATCH) ready.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a batch that is full, or whose oldest message has waited for others. */
  List<Message> nextBatch() throws InterruptedException {
    lock.lock();
    try {
      while (true) {
        long leftNanos = oldestNanos + LINGER_NANOS - System.nanoTime();
        if (readyMessages == 0) ready.await();
        else if (readyMessages < MAX_BATCH && leftNanos > 0) ready.awaitNanos(leftNanos);
        else return take();
      }
    } finally {
      lock.unlock();
    }
  }

  List<Message> take() {
    List<Message> batch = new ArrayList<>(MAX_BATCH);
    while (batch.size() < MAX_BATCH && !readyTopics.isEmpty()) {
      Topic topic = readyTopics.remove();
      topic.busy = true;
      readyMessages -= topic.waiting.size();
      while (batch.size() < MAX_BATCH && !topic.waiting.isEmpty())
        batch.add(topic.waiting.remove());
    }
    oldestNanos = System.nanoTime();
    if (readyMessages > 0) ready.signal();
    return batch;
  }

  void settle(List<Message> batch) {
    lock.lock();
    try {
      for (Message message : batch) {
        message.settled = true;
        Topic topic = message.topic;
        if (!topic.busy) continue;
        topic.busy = false;
        if (topic.waiting.isEmpty()) continue;
        readyTopics.add(topic);
        if (readyMessages == 0) oldestNanos = System.nanoTime();
        readyMessages += topic.waiting.size();
      }
      if (readyMessages > 0) ready.signalAll();
      while (!window.isEmpty() && window.peek().settled) window.remove().publish.acknowledge();
      room.signal();
    } finally {
      lock.unlock();
    }
  }

  void send(int number) {
    Body body = new Body();
    long sent = 0;
    try {
      while (true) {
        List<Message> batch = nextBatch();
        body.length = 0;
        for (Message message : batch) {
          body.add(body.length == 0 ? "[" : ",");
          body.add("{\"specversion\":\"1.0\",\"type\":\"relay.message\",\"id\":\"");
          body.add(number + "-" + ++sent);
          body.add("\",\"source\":\"");
          body.add(source, 0, source.length);
          body.add("\",\"subject\":");
          body.quote(message.topic.name);
          body.add(",\"datacontenttype\":\"text/plain\",\"data\":");
          body.quote(message.publish.getPayloadAsBytes());
          body.add("}");
        }
        body.add("]");
        for (long waitMs = 100; !post(body); waitMs = Math.min(2 * waitMs, 2000))
          Thread.sleep(waitMs);
        settle(batch);
      }
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  boolean post(Body body) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(url)
            .timeout(Duration.ofSeconds(30))
            .header("content-type", "application/cloudevents-batch+json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.bytes, 0, body.length))
            .build();
    try {
      return handler.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() / 100 == 2;
    } catch (IOException absent) {
      return false;
    }
  }

  /** Bytes that grow; without the locks of ByteArrayOutputStream. */
  static final class Body {
    byte[] bytes = new byte[256 * 1024];
    int length;

    void add(String text) {
      byte[] added = text.getBytes(StandardCharsets.ISO_8859_1);
      add(added, 0, added.length);
    }

    void add(byte[] added, int from, int to) {
      int end = length + to - from;
      if (end > bytes.length) bytes = Arrays.copyOf(bytes, 2 * end);
      System.arraycopy(added, from, bytes, length, to - from);
      length = end;
    }

    /** Appends a text as JSON. */
    void quote(byte[] text) {
      add("\"");
      int from = 0;
      for (int at = 0; at < text.length; at++) {
        int character = text[at];
        if ((character >= 0x20 || character < 0) && character != '"' && character != '\\') continue;
        add(text, from, at);
        if (character < 0x20) {
          add(String.format("\\u%04x", character));
          from = at + 1;
        } else {
          add("\\");
          from = at;
        }
      }
      add(text, from, text.length);
      add("\"");
    }
  }
}
