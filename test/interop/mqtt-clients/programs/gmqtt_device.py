"""A device on gmqtt: sends back what it gets, and answers what is asked."""
import asyncio
import sys

from gmqtt import Client, Subscription

port, name = int(sys.argv[1]), sys.argv[2]


def on_connect(client, flags, rc, properties):
    if not flags & 1:
        client.subscribe([Subscription(f"{name}/down/+", qos=2), Subscription(f"{name}/ask", qos=1)])


async def on_message(client, topic, payload, qos, properties):
    if topic == f"{name}/ask":
        client.publish(
            properties["response_topic"][0],
            "pong",
            qos=1,
            correlation_data=properties["correlation_data"][0],
        )
    else:
        client.publish(topic.replace("/down/", "/up/"), payload, qos=qos)
    return 0


async def main():
    client = Client(name, clean_session=False, session_expiry_interval=300)
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: print("subscribed", flush=True)
    client.on_message = on_message
    await client.connect("127.0.0.1", port)
    await asyncio.Event().wait()


asyncio.run(main())
