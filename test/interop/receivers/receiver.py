# A receiver with FastAPI: verifies the signature over the exact bytes, and answers.
import os

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["SECRET"])
app = FastAPI()


@app.post("/")
async def receive(request: Request):
    try:
        events = webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(401)
    for event in events if isinstance(events, list) else [events]:
        print(event["subject"], event.get("data"), flush=True)
    return {"ok": True}


uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "3000")))
