// What a route's handler is sent: one or several messages as one HTTP request, in the format of the route. Pure.
import { createHash } from 'node:crypto';
import { encodeBatch, envelopeBatchType } from '../../functions/contract/envelope.ts';
import type { Message } from '../../functions/contract/message.ts';
import type { RouteConfig } from '../config.ts';
import { messageFormats } from './message-formats.ts';
import { urlTemplate } from './url-template.ts';

export interface HandlerRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  /** By their names in lower case; without what shows who sends it, and without content-length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The same at every try, where it is one message's; a batch is cut anew for each. */
  readonly id?: string;
}

export type BuiltRequest =
  | { readonly kind: 'request'; readonly request: HandlerRequest }
  /** They cannot be sent like this; of several messages, perhaps fewer can. */
  | { readonly kind: 'unsendable'; readonly reason: string };

export type RequestBuilder = (messages: readonly Message[]) => BuiltRequest;

export type RequestRoute = Pick<
  RouteConfig,
  'url' | 'method' | 'format' | 'headers' | 'maxBatchBytes'
>;

/** Builds the requests of a route: the same for the same messages. */
export function requestBuilder(route: RequestRoute): RequestBuilder {
  return route.format === 'cloudevents-batch'
    ? batchBuilder(route)
    : messageBuilder(route, route.format);
}

function batchBuilder({ url: text, method, headers: fixed, maxBatchBytes }: RequestRoute) {
  const url = new URL(text);
  const headers = { ...fixed, 'content-type': envelopeBatchType };
  return (messages: readonly Message[]): BuiltRequest => {
    const body = encodeBatch(messages);
    if (body.byteLength > maxBatchBytes) return tooLarge(body, maxBatchBytes);
    return { kind: 'request', request: { method, url, headers, body } };
  };
}

function messageBuilder(
  { url: text, method, headers: fixed, maxBatchBytes }: RequestRoute,
  format: keyof typeof messageFormats,
): RequestBuilder {
  const fill = urlTemplate(text);
  const encode = messageFormats[format];
  return (messages) => {
    const [message] = messages;
    if (message === undefined || messages.length > 1)
      return unsendable('a request carries one message');
    const filled = fill(message.topic);
    if (filled.kind === 'impossible') return unsendable(filled.reason);
    const encoded = encode(message);
    if (encoded.kind === 'too large') return unsendable(encoded.reason);
    const { body } = encoded;
    if (body.byteLength > maxBatchBytes) return tooLarge(body, maxBatchBytes);
    const headers = { ...fixed, ...encoded.headers };
    return {
      kind: 'request',
      request: { method, url: filled.url, headers, body, id: requestId(message) },
    };
  };
}

/**
 * Of a message's id, which may hold any character. A device that chooses it itself, as a CloudEvent, does so for its
 * own source: others have the same ones, and a handler that drops what it has seen must not drop theirs. A replay is
 * meant to count.
 */
function requestId({ source, topic, id, properties, replayId = '' }: Message): string {
  const own = properties?.userProperties?.find(([name]) => name === 'source')?.[1] ?? '';
  const parts = JSON.stringify([source, own, topic, id, replayId]);
  return `msg_${createHash('sha256').update(parts).digest('base64url')}`;
}

function tooLarge(body: Buffer, maxBatchBytes: number): BuiltRequest {
  return unsendable(`it takes ${body.byteLength} bytes, and a request ${maxBatchBytes}`);
}

function unsendable(reason: string): BuiltRequest {
  return { kind: 'unsendable', reason };
}
