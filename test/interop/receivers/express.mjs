// A receiver with Express: verifies the signature over the exact bytes, and answers.
import express from 'express';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.SECRET);
const app = express();

app.post('/', express.raw({ type: () => true, limit: '5mb' }), (request, response) => {
  try {
    webhook.verify(request.body, request.headers);
  } catch {
    return response.sendStatus(401);
  }
  for (const event of [JSON.parse(request.body)].flat()) console.log(event.subject, event.data);
  response.sendStatus(200);
});

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', () =>
  console.log(`listening on ${server.address().port}`),
);
