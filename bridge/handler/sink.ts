// The HTTP side of a route: one request, one verdict. Over node:http, which passes over a 100 Continue that nobody asked for,
// as a client has to, and tells when a request has left.
import http, {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Message } from '../../functions/contract/message.ts';
import { notedHeader, notedMsIn } from '../../functions/contract/noted.ts';
import {
  AddressRefused,
  addressFault,
  guardedLookup,
  type Resolve,
} from '../base/address-guard.ts';
import type { WallClock } from '../base/wall-clock.ts';
import type { RouteConfig } from '../config/config.ts';
import { isInvocation } from '../config/lambda-invocation.ts';
import {
  beginningOf,
  discard,
  headOf,
  maxAnswerHeaderBytes,
  reasonText,
  receiptText,
  returnedText,
  untilSent,
  wholeText,
} from './answer.ts';
import { Deadline } from './deadline.ts';
import type { HandlerTls } from './handler-tls.ts';
import { hasFailed, invocationAnswer } from './invocation.ts';
import {
  type BuiltRequest,
  type HandlerRequest,
  type RequestRoute,
  requestBuilder,
} from './request.ts';
import type { RequestSigner } from './request-signer.ts';
import { type Answer, type Verdict, verdictOf } from './verdict.ts';

/** Maximum bytes of an answer for each message of a batch: its id, a reason, and what stands around them. */
const maxReceiptBytes = 1500;

/** Of the JSON of a function's error: its stack stands behind type and message. */
const maxErrorCharacters = 16 * 1024;

/**
 * How long a connection is kept for the next request. Less than the 60 s of load balancers: a request on a connection
 * that is just being closed fails. And with a time of its own Node also obeys a shorter one that the handler announces.
 */
const idleMs = 50_000;

/** What became of one request. */
export interface Attempt {
  readonly verdict: Verdict;
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
}

/** A request as it leaves, and its answer as it came, for who looks on. */
export interface Look {
  /** `proof` are the headers that show who sends it. */
  sent(headers: Readonly<Record<string, string>>, proof: Readonly<Record<string, string>>): void;
  /** `body` is the first 1,024 bytes. */
  answered(status: number, headers: IncomingHttpHeaders, body: Buffer): void;
}

export interface Sink {
  /** The request that carries these messages. */
  request(messages: readonly Message[]): BuiltRequest;
  /** Sends it. `ids` gives the ids of its messages, where the answer names some. Never rejects. */
  post(request: HandlerRequest, ids: () => ReadonlySet<string>, look?: Look): Promise<Attempt>;
  close(): void;
}

type SinkRoute = RequestRoute &
  Pick<RouteConfig, 'timeoutMs' | 'concurrency' | 'maxBatch' | 'allowPrivate' | 'ingest'>;

/** `resolve` is by default that of the system. `clock` is told the Date of answers, where those can be trusted. */
export function createSink(
  route: SinkRoute,
  signer?: RequestSigner,
  resolve?: Resolve,
  clock?: Pick<WallClock, 'systemMs' | 'observe'>,
  tls?: HandlerTls,
): Sink {
  const url = new URL(route.url);
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: route.concurrency,
    timeout: idleMs,
    lookup: guardedLookup(route.allowPrivate, resolve),
  });
  // An address in the URL is not looked up.
  const addressRefused = addressFault(url, route.allowPrivate);
  const inFlight = new Set<Deadline>();
  const maxAnswerBytes = (route.maxBatch + 10) * maxReceiptBytes;
  const hasReceipts = route.format === 'cloudevents-batch';
  const isInvoked = isInvocation(url);
  // The same for all requests: a topic fills in path and query alone. Few options, as Node copies them several times a request.
  const { hostname, port } = urlToHttpOptions(url);
  const origin = {
    hostname,
    port,
    agent,
    maxHeaderSize: maxAnswerHeaderBytes,
  };
  /** What our own ingest said last; 0 where it did not. */
  let notedMs = 0;

  async function exchange(
    toSend: HandlerRequest,
    deadline: Deadline,
    look: Look | undefined,
  ): Promise<Answer> {
    if (addressRefused !== undefined)
      throw new AddressRefused(`the handler's address ${addressRefused}`);
    const { method, url, body } = toSend;
    const proof = signer && (await signer.headers(toSend));
    const secured = tls && (await tls.options());
    deadline.throwIfOver();
    const added: Record<string, string> = { 'content-length': String(body.byteLength), ...proof };
    if (notedMs > 0) added[notedHeader] = String(notedMs);
    look?.sent({ ...toSend.headers, ...added }, proof ?? {});
    const sentMs = clock?.systemMs() ?? 0;
    const outgoing = request({
      ...origin,
      ...secured,
      path: `${url.pathname}${url.search}`,
      method,
      headers: rawHeaders(toSend.headers, added, url),
    });
    // What is replayed shares the connections: a request that waits for one has asked nobody yet, and no silence is the
    // handler's. The wait ends with the time of those before.
    deadline.stop();
    outgoing.once('socket', deadline.start);
    deadline.outgoing = outgoing;
    const head = headOf(outgoing);
    outgoing.end(body);
    const response = await head;
    const { statusCode: status = 0 } = response;
    clock?.observe(response.headers.date, sentMs);
    if (route.ingest) notedMs = Math.max(notedMs, notedMsIn(notedIn(response)) ?? 0);
    if (status === 401 || status === 403) signer?.doubt();
    const retryAfter = response.headers['retry-after'];
    const beginning = look && beginningOf(response);
    const answered = await bodyOf(status, response, outgoing, look !== undefined);
    if (beginning !== undefined) look?.answered(status, response.headers, beginning());
    if (isInvoked) return invocationAnswer(status, response.headers, answered);
    return {
      kind: 'response',
      status,
      body: answered,
      ...(retryAfter !== undefined && { retryAfter }),
    };
  }

  async function bodyOf(
    status: number,
    response: IncomingMessage,
    outgoing: ClientRequest,
    isLookedAt: boolean,
  ): Promise<string> {
    if (status < 200 || status >= 300) return reasonText(response);
    // What a function returns may be an HTTP answer, whatever the format is.
    if (isInvoked)
      return hasFailed(response.headers)
        ? reasonText(response, maxErrorCharacters)
        : (route.ingest ? wholeText : returnedText)(response, maxAnswerBytes);
    if (!hasReceipts) {
      await untilSent(outgoing);
      if (isLookedAt) return reasonText(response);
      discard(response);
      return '';
    }
    // It is read meanwhile: a handler may wait for that before it reads on.
    const read = route.ingest ? wholeText : receiptText;
    const [receipt] = await Promise.all([read(response, maxAnswerBytes), untilSent(outgoing)]);
    return receipt;
  }

  async function answerTo(toSend: HandlerRequest, look: Look | undefined): Promise<Answer> {
    // One timer over all: a slow trickle of header or body bytes ends with it too.
    const deadline = new Deadline(route.timeoutMs);
    deadline.start();
    inFlight.add(deadline);
    try {
      return await exchange(toSend, deadline, look);
    } catch (error) {
      tls?.doubt();
      if (deadline.isTimedOut)
        return { kind: 'failed', reason: `no answer within ${route.timeoutMs} ms` };
      if (error instanceof AddressRefused)
        return { kind: 'failed', reason: error.message, broken: true };
      return { kind: 'failed', reason: reasonOf(error) };
    } finally {
      deadline.stop();
      inFlight.delete(deadline);
    }
  }

  return {
    request: requestBuilder(route),
    async post(toSend, ids, look) {
      let sent: ReadonlySet<string> | undefined;
      const wasSent = (id: string) => {
        sent ??= ids();
        return sent.has(id);
      };
      const answer = await answerTo(toSend, look);
      return {
        verdict: verdictOf(answer, wasSent, Date.now(), route.ingest),
        status: answer.kind === 'response' ? answer.status : undefined,
      };
    },
    close() {
      for (const deadline of inFlight) deadline.end(new Error('the bridge has stopped'));
      agent.destroy();
    },
  };
}

/**
 * Names and values in turn; what is `added` stands for what has its name. Of an object Node would make another with names in
 * lower case, a tenth of the CPU of a request. To a list it adds no Host.
 */
function rawHeaders(
  headers: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
  { host }: URL,
): string[] {
  const raw = 'host' in headers || 'host' in added ? [] : ['host', host];
  for (const name in headers)
    if (!Object.hasOwn(added, name)) raw.push(name, headers[name] as string);
  for (const name in added) raw.push(name, added[name] as string);
  return raw;
}

function notedIn({ headers }: IncomingMessage): string | undefined {
  const value = headers[notedHeader];
  return typeof value === 'string' ? value : undefined;
}

function reasonOf(error: unknown): string {
  // Of the addresses of a name each has failed, for a reason of its own.
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ');
  return error instanceof Error ? error.message || error.name : String(error);
}
