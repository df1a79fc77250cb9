// A device on HiveMQ's client for Java, MQTT 5: sends back what it gets, and answers what is asked.
import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.mqtt5.Mqtt5AsyncClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;

public class HiveMq {
  public static void main(String[] args) throws Exception {
    String name = args[1];
    Mqtt5AsyncClient client =
        Mqtt5Client.builder()
            .identifier(name)
            .serverHost("127.0.0.1")
            .serverPort(Integer.parseInt(args[0]))
            .automaticReconnectWithDefaultConfig()
            .buildAsync();
    client.publishes(
        MqttGlobalPublishFilter.ALL,
        message -> {
          String topic = message.getTopic().toString();
          if (topic.equals(name + "/ask")) {
            client.publish(
                Mqtt5Publish.builder()
                    .topic(message.getResponseTopic().get())
                    .qos(MqttQos.AT_LEAST_ONCE)
                    .payload("pong".getBytes())
                    .correlationData(message.getCorrelationData().get())
                    .build());
          } else {
            client.publish(
                Mqtt5Publish.builder()
                    .topic(topic.replace("/down/", "/up/"))
                    .qos(message.getQos())
                    .payload(message.getPayloadAsBytes())
                    .build());
          }
        });
    client.connectWith().cleanStart(false).sessionExpiryInterval(300).send().join();
    client.subscribeWith().topicFilter(name + "/down/+").qos(MqttQos.EXACTLY_ONCE).send().join();
    client.subscribeWith().topicFilter(name + "/ask").qos(MqttQos.AT_LEAST_ONCE).send().join();
    System.out.println("subscribed");
    Thread.currentThread().join();
  }
}
