"""A device on Eclipse Paho for Python: sends back what it gets, and answers what is asked."""
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

port, name = int(sys.argv[1]), sys.argv[2]


def on_connect(client, userdata, flags, reason, properties):
    if not flags.session_present:
        client.subscribe([(f"{name}/down/+", 2), (f"{name}/ask", 1)])


def on_message(client, userdata, message):
    if message.topic == f"{name}/ask":
        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData = message.properties.CorrelationData
        client.publish(message.properties.ResponseTopic, "pong", qos=1, properties=properties)
    else:
        client.publish(message.topic.replace("/down/", "/up/"), message.payload, qos=message.qos)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
client.on_connect = on_connect
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.on_message = on_message
properties = Properties(PacketTypes.CONNECT)
properties.SessionExpiryInterval = 300
client.connect("127.0.0.1", port, clean_start=mqtt.MQTT_CLEAN_START_FIRST_ONLY, properties=properties)
client.loop_forever()
