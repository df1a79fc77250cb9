# Reads the requests of a file with CloudEvents and Standard Webhooks for Python, and prints what became of each.
import base64
import json
import os
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook


def outcome(request):
    body = base64.b64decode(request["body"])
    headers = request["headers"]
    if request["format"] == "raw":
        Webhook(os.environ["SECRET"]).verify(body, headers)
        return "yes"
    event = from_http_event(HTTPMessage(headers=headers, body=body), JSONFormat())
    data = event.get_data()
    if "json" in request:
        return "yes" if data == request["json"] else "other data"
    payload = base64.b64decode(request["payload"])
    given = data.encode() if isinstance(data, str) else bytes(data or b"")
    return "yes" if given == payload else "other data"


outcomes = {}
for request in json.load(open(sys.argv[1])):
    try:
        outcomes[request["name"]] = outcome(request)
    except Exception as error:
        print(request["name"], type(error), error, file=sys.stderr)
        outcomes[request["name"]] = "no"
print(json.dumps(outcomes))
