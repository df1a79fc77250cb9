// The bridge's own HTTP: liveness, readiness, and the private way in for commands.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import {
  type Command,
  type CommandSent,
  commandSchema,
  maxPublishBodyBytes,
} from '../functions/contract/command.ts';
import { parseWith } from '../functions/contract/parse.ts';
import { problem, problemResponse } from '../functions/contract/problem.ts';
import { secretCheck } from '../functions/contract/secret.ts';
import type { PublishResult } from './publisher.ts';

export interface BridgeStatus {
  readonly ready: boolean;
  /** A line for each part that is not ready. */
  readonly problems: readonly string[];
}

export interface BridgeHttpOptions {
  readonly status: () => BridgeStatus;
  /** Prometheus exposition. */
  readonly metrics: () => Promise<{ text: string; contentType: string }>;
  /** Absent where commands are off. */
  readonly commands?: {
    readonly token: string;
    readonly publish: (command: Command) => Promise<PublishResult>;
  };
}

export function createBridgeHttp({ status, metrics, commands }: BridgeHttpOptions): Hono {
  const app = new Hono();
  app.notFound(() => problemResponse(problem('not-found')));
  app.onError(() => problemResponse(problem('internal')));

  // Liveness never depends on a handler or broker: restarting the bridge would not mend those.
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => {
    const { ready, problems } = status();
    return context.json({ status: ready ? 'ready' : 'not ready', problems }, ready ? 200 : 503);
  });

  app.get('/metrics', async (context) => {
    const { text, contentType } = await metrics();
    return context.body(text, 200, { 'content-type': contentType });
  });

  if (commands === undefined) return app;
  const isAuthorized = secretCheck(`Bearer ${commands.token}`);
  // Base64 adds a third to what the api accepted.
  app.post('/deliver', bodyLimit({ maxSize: maxPublishBodyBytes * 2 }), async (context) => {
    if (!isAuthorized(context.req.header('authorization') ?? '')) {
      return problemResponse(problem('unauthorized'));
    }
    const parsed = parseWith(commandSchema, await context.req.json().catch(() => undefined));
    if (!parsed.ok) return problemResponse(problem('invalid-request', undefined, parsed.faults));
    const result = await commands.publish(parsed.value);
    switch (result.kind) {
      case 'sent': {
        const { kind: _, ...rest } = result;
        return context.json<CommandSent>({
          id: parsed.value.id,
          status: 'sent',
          sentAt: new Date().toISOString(),
          ...rest,
        });
      }
      case 'refused':
        return problemResponse(problem('broker-refused', result.reason));
      case 'offline':
        return problemResponse(problem('broker-unavailable'));
      case 'unknown':
        return problemResponse(problem('puback-timeout', result.reason));
    }
  });
  return app;
}
