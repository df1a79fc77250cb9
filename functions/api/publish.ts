// POST /v1/publish: a message from an HTTP caller to devices, answered when the broker has it.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { v7 as uuidv7 } from 'uuid';
import { maxPublishBodyBytes, payloadBase64Of, publishRequestSchema } from '../contract/command.ts';
import { parseWith } from '../contract/parse.ts';
import { problem, problemResponse } from '../contract/problem.ts';
import type { Deliver } from './bridge.ts';

export function publishRoutes(deliver: Deliver): Hono {
  const app = new Hono();

  const limit = bodyLimit({
    maxSize: maxPublishBodyBytes,
    onError: () =>
      problemResponse(problem('body-too-large', `at most ${maxPublishBodyBytes} bytes`)),
  });

  app.post('/publish', limit, async (context) => {
    const mediaType = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (mediaType !== 'application/json') {
      return problemResponse(problem('unsupported-media-type', 'send application/json'));
    }
    let body: unknown;
    try {
      body = JSON.parse(
        new TextDecoder('utf-8', { fatal: true }).decode(await context.req.arrayBuffer()),
      );
    } catch {
      return problemResponse(problem('invalid-json'));
    }
    const parsed = parseWith(publishRequestSchema, body);
    if (!parsed.ok) return problemResponse(problem('invalid-request', undefined, parsed.faults));
    const { payload: _, ...request } = parsed.value;
    const result = await deliver({
      ...request,
      id: uuidv7(),
      payloadBase64: payloadBase64Of(parsed.value),
    });
    if (!result.ok) return problemResponse(result.problem);
    return context.json({ ...result.sent, topic: request.topic, qos: request.qos });
  });

  return app;
}
