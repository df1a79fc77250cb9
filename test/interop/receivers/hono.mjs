// A receiver with Hono: verifies the signature over the exact bytes, and answers.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.SECRET);
const app = new Hono();

app.post('/', async (context) => {
  const body = await context.req.text();
  try {
    webhook.verify(body, context.req.header());
  } catch {
    return context.body(null, 401);
  }
  for (const event of [JSON.parse(body)].flat()) console.log(event.subject, event.data);
  return context.json({ ok: true });
});

const options = { fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) };
serve(options, ({ port }) => console.log(`listening on ${port}`));
