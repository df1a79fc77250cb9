# Publishes and queries with the client that openapi-python-client has made of /openapi.json.
import json
import os
import time

from causeway_client import AuthenticatedClient
from causeway_client.api.commands import publish
from causeway_client.api.messages import list_messages
from causeway_client.models import Command, MessagePage, PublishRequest

topic = os.environ["TOPIC"]
with AuthenticatedClient(base_url=os.environ["API_URL"], token=os.environ["API_TOKEN"]) as client:
    request = PublishRequest(
        topic=topic, payload={"celsius": 21.5}, user_properties=[["unit", "celsius"]]
    )
    command = publish.sync(client=client, body=request)
    assert isinstance(command, Command), command
    for _ in range(100):
        page = list_messages.sync(client=client, topic=topic)
        assert isinstance(page, MessagePage), page
        if page.messages:
            break
        time.sleep(0.1)
    message = page.messages[0]
    print(
        json.dumps(
            {
                "status": command.status,
                "qos": command.qos,
                "topic": message.topic,
                "payload": message.payload,
            }
        )
    )
