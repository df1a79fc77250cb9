// A route of the bridge's config, and its sink, for tests of the HTTP side alone.
import { onTestFinished } from 'vitest';
import type { Resolve } from '../../../bridge/base/address-guard.ts';
import type { Secrets } from '../../../bridge/base/secrets.ts';
import {
  type BridgeConfigInput,
  parseConfig,
  type RouteConfig,
} from '../../../bridge/config/config.ts';
import { openHandlerTls } from '../../../bridge/handler/handler-tls.ts';
import type { HandlerRequest } from '../../../bridge/handler/request.ts';
import { openSigner } from '../../../bridge/handler/request-signing.ts';
import { type Attempt, createSink, type Sink } from '../../../bridge/handler/sink.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';

export type RouteInput = Partial<BridgeConfigInput['routes'][number]>;

function parse(fields: RouteInput) {
  return parseConfig({
    broker: { url: 'mqtt://127.0.0.1' },
    // For requests of any size.
    memoryMiB: 1024,
    routes: [{ name: 'hook', filter: '#', url: 'https://handler.example.com/', ...fields }],
  });
}

/** `field: rule` of each fault, without the path to the route. */
export function routeFaults(fields: RouteInput): string[] {
  const parsed = parse(fields);
  return parsed.ok
    ? []
    : parsed.faults.map(({ field, rule }) => `${field.replace('routes.0.', '')}: ${rule}`);
}

export function routeOf(fields: RouteInput): RouteConfig {
  const parsed = parse(fields);
  const [route] = parsed.ok ? parsed.value.routes : [];
  if (route === undefined) throw new Error(routeFaults(fields).join('; '));
  return route;
}

/** A sink to a handler on this machine; closed at the end of the test. */
export async function openSink(
  fields: RouteInput,
  { secrets, resolve }: { secrets?: Secrets; resolve?: Resolve } = {},
): Promise<Sink> {
  const route = routeOf({ allowPrivate: true, timeoutMs: 10_000, ...fields });
  const sink = createSink(
    route,
    await openSigner(route, secrets),
    resolve,
    undefined,
    openHandlerTls(route, secrets),
  );
  onTestFinished(() => sink.close());
  return sink;
}

/** The request for some messages; fails the test where there is none. */
export function requestFor(sink: Pick<Sink, 'request'>, ...messages: Message[]): HandlerRequest {
  const built = sink.request(messages.length === 0 ? [message()] : messages);
  if (built.kind === 'unsendable') throw new Error(built.reason);
  return built.request;
}

export function send(sink: Sink, ...messages: Message[]): Promise<Attempt> {
  const request = requestFor(sink, ...messages);
  return sink.post(request, () => new Set(messages.map(({ id }) => id)));
}
