// What a route's handler is sent: one or several messages as one HTTP request, in the format of the route. Pure.
import { hash } from 'node:crypto';
import { encodeBatch, envelopeBatchType } from '../../functions/contract/envelope.ts';
import { eventOfBatch } from '../../functions/contract/invocation.ts';
import type { Message } from '../../functions/contract/message.ts';
import type { RouteConfig } from '../config/config.ts';
import { plainHeaders } from '../config/handler.ts';
import { isInvocation } from '../config/lambda-invocation.ts';
import { urlTemplate } from '../config/url-template.ts';
import { messageFormats, tooLarge } from './message-formats.ts';
import { newTraceparent, traceHeaders } from './trace-context.ts';
import { userAgent } from './user-agent.ts';

export interface HandlerRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  /** By their names in lower case; without what shows who sends it, and without content-length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The same at every try, where it is one message's; for a batch, each try has its own. */
  readonly id?: string;
}

export type BuiltRequest =
  | { readonly kind: 'request'; readonly request: HandlerRequest }
  /** They cannot be sent like this; of several messages, perhaps fewer can. */
  | { readonly kind: 'unsendable'; readonly reason: string };

export type RequestBuilder = (messages: readonly Message[]) => BuiltRequest;

export type RequestRoute = Pick<
  RouteConfig,
  'url' | 'method' | 'format' | 'eventVersion' | 'headers' | 'maxBatchBytes'
>;

/** Builds the requests of a route: the same for the same messages, but for the trace of a batch. */
export function requestBuilder(route: RequestRoute): RequestBuilder {
  return route.format === 'cloudevents-batch'
    ? batchBuilder(route)
    : messageBuilder(route, route.format);
}

function batchBuilder({
  url: text,
  method,
  eventVersion,
  headers: given,
  maxBatchBytes,
}: RequestRoute) {
  const fixed = plainHeaders({ headers: given });
  const url = new URL(text);
  // An invocation takes an event and no query: that stands in the event.
  const query = isInvocation(url) ? url.search.slice(1) : '';
  if (query !== '') url.search = '';
  const headers = { 'user-agent': userAgent, ...fixed, 'content-type': envelopeBatchType };
  return (messages: readonly Message[]): BuiltRequest => {
    const batch = encodeBatch(messages, maxBatchBytes, eventVersion);
    if (batch.kind === 'too large') return unsendable(tooLarge(batch.bytes, maxBatchBytes));
    // A batch is one request of many traces: it begins one of its own.
    const traced = { ...headers, traceparent: newTraceparent() };
    return {
      kind: 'request',
      request: { method, url, headers: traced, body: eventOfBatch(batch.body, query) },
    };
  };
}

function messageBuilder(
  { url: text, method, eventVersion, headers: given, maxBatchBytes }: RequestRoute,
  format: keyof typeof messageFormats,
): RequestBuilder {
  const fixed = plainHeaders({ headers: given });
  const fill = urlTemplate(text);
  const encode = messageFormats[format];
  return (messages) => {
    const [message] = messages;
    if (message === undefined || messages.length > 1)
      return unsendable('a request carries one message');
    const filled = fill(message.topic);
    if (filled.kind === 'impossible') return unsendable(filled.reason);
    const encoded = encode(message, maxBatchBytes, eventVersion);
    if (encoded.kind === 'too large') return unsendable(encoded.reason);
    const { body } = encoded;
    const digest = identityDigest(message);
    const headers = {
      'user-agent': userAgent,
      ...fixed,
      ...encoded.headers,
      ...traceHeaders(message, digest),
    };
    const id = `msg_${digest.toString('base64url')}`;
    return { kind: 'request', request: { method, url: filled.url, headers, body, id } };
  };
}

/**
 * What `webhook-id` and the trace of a message are made of. Of its id, which may hold any character. What was stored while a device's own id was all of it can be replayed
 * still: such ids are unique within topic and the device's own source only, and a handler that drops what it has seen must
 * not drop another's. A replay is meant to count.
 */
function identityDigest({ source, topic, id, properties, replayId = '' }: Message): Buffer {
  const own = properties?.userProperties?.find(([name]) => name === 'source')?.[1] ?? '';
  const parts = JSON.stringify([source, own, topic, id, replayId]);
  return hash('sha256', parts, 'buffer');
}

function unsendable(reason: string): BuiltRequest {
  return { kind: 'unsendable', reason };
}
