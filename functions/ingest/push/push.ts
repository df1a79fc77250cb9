// The endpoint that OneNET pushes to: validates the URL when the platform asks, and stores what it pushes.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { byDeclaredSize } from '../../contract/body-limit.ts';
import { problem, problemResponse } from '../../contract/problem.ts';
import type { Store } from '../storing/message-store.ts';
import type { PushMemory } from './memory.ts';
import { type OneNetPushOptions, parsePush } from './onenet.ts';
import { isSigned } from './onenet-signature.ts';

export interface PushAppOptions extends OneNetPushOptions {
  readonly store: Store;
  /** Which pushes have been stored; without it, one that is sent again is stored by the rules of messages alone. */
  readonly memory?: PushMemory | undefined;
  /** Largest body in bytes. Default 1 MiB: a device publishes 256 KB at most. */
  readonly maxBodyBytes?: number;
  readonly now?: () => number;
}

/** Longest text that a validation asks for. */
const maxEchoLength = 256;

/**
 * `GET ?msg=&nonce=&signature=` answers `msg` where the signature holds; `POST` stores a push, and answers 200 only
 * when all of it is stored. Any other answer makes the platform push it again, which stores nothing twice.
 */
export function createOneNetPush({
  store,
  memory,
  now = Date.now,
  ...options
}: PushAppOptions): Hono {
  const { token, maxBodyBytes = 1024 * 1024 } = options;
  const app = new Hono();

  app.get('/', (context) => {
    const { msg: text = '', nonce = '', signature = '' } = context.req.query();
    const isShort = text.length <= maxEchoLength && nonce.length <= maxEchoLength;
    if (!isShort || text === '' || !isSigned(token, { nonce, text, signature }))
      return problemResponse(problem('unauthorized', 'the signature does not hold'));
    // Text, whatever it looks like: a browser must not take it for a page.
    return context.text(text, 200, { 'x-content-type-options': 'nosniff' });
  });

  const tooLarge = () =>
    problemResponse(problem('body-too-large', `at most ${maxBodyBytes} bytes`));

  app.post(
    '/',
    byDeclaredSize(bodyLimit, { maxSize: maxBodyBytes, onError: tooLarge }),
    async (context) => {
      if ((context.req.header('content-encoding') ?? 'identity').toLowerCase() !== 'identity')
        return problemResponse(
          problem('unsupported-media-type', 'send it without Content-Encoding'),
        );
      const body = new Uint8Array(await context.req.arrayBuffer());
      // The middleware believes a Content-Length.
      if (body.byteLength > maxBodyBytes) return tooLarge();
      const text = textOf(body);
      if (text === undefined) return problemResponse(problem('invalid-json', 'must be UTF-8'));
      const pushed = parsePush(text, options, now());
      if (!pushed.ok) return problemResponse(pushed.problem);
      if (await memory?.has(pushed.pushId)) return context.text('ok');
      const failures = await store.put(pushed.messages);
      if (failures.length === 0) {
        await memory?.remember(pushed.pushId);
        return context.text('ok');
      }
      const lasting = failures.find(({ retryable }) => retryable === false);
      return problemResponse(
        lasting === undefined
          ? problem('database-unavailable')
          : problem('invalid-request', lasting.reason),
      );
    },
  );

  return app;
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}
