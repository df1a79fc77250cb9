// A device on Eclipse Paho for Java, MQTT 5: sends back what it gets, and answers what is asked.
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttCallback;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;

public class Paho {
  public static void main(String[] args) throws Exception {
    String name = args[1];
    MqttAsyncClient client =
        new MqttAsyncClient("tcp://127.0.0.1:" + args[0], name, new MemoryPersistence());
    client.setCallback(
        new MqttCallback() {
          public void messageArrived(String topic, MqttMessage message) throws MqttException {
            if (!topic.equals(name + "/ask")) {
              String to = topic.replace("/down/", "/up/");
              client.publish(to, message.getPayload(), message.getQos(), false);
              return;
            }
            MqttProperties asked = message.getProperties();
            MqttProperties properties = new MqttProperties();
            properties.setCorrelationData(asked.getCorrelationData());
            MqttMessage answer = new MqttMessage("pong".getBytes(), 1, false, properties);
            client.publish(asked.getResponseTopic(), answer);
          }

          public void connectComplete(boolean again, String server) {}

          public void disconnected(MqttDisconnectResponse response) {}

          public void mqttErrorOccurred(MqttException error) {}

          public void deliveryComplete(IMqttToken token) {}

          public void authPacketArrived(int reason, MqttProperties properties) {}
        });
    MqttConnectionOptions options = new MqttConnectionOptions();
    options.setCleanStart(false);
    options.setSessionExpiryInterval(300L);
    options.setAutomaticReconnect(true);
    client.connect(options).waitForCompletion();
    MqttSubscription[] wanted = {
      new MqttSubscription(name + "/down/+", 2), new MqttSubscription(name + "/ask", 1)
    };
    client.subscribe(wanted).waitForCompletion();
    System.out.println("subscribed");
  }
}
