// A test event to the handler of a route, whatever the route's state: what was sent, what came back, and what that would
// mean for a message. It is no message: nothing is stored, counted or held for it, and it is in no lane.
import { v7 as uuidv7 } from 'uuid';
import type { Message } from '../../functions/contract/message.ts';
import type { RouteTest } from '../../functions/contract/route-test.ts';
import { timeText } from '../../functions/contract/time.ts';
import { matchesFilter, topicFault } from '../../functions/contract/topic.ts';
import type { RouteConfig } from '../config/config.ts';
import { handlerCure } from '../handler/handler-cure.ts';
import type { Look, Sink } from '../handler/sink.ts';
import type { Verdict } from '../handler/verdict.ts';
import { maskedHeaders, maskedUrl } from './masks.ts';

export type TestOutcome =
  | { readonly kind: 'tested'; readonly test: RouteTest }
  /** Another one is on its way, or was just now. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'wrong topic'; readonly rule: string };

export interface RouteTesterOptions {
  readonly config: RouteConfig;
  readonly sink: Sink;
  /** Of the event: URI of broker and client id. */
  readonly source: string;
  readonly now?: () => number;
}

/** Between the end of one test and the next, for each route. */
const restMs = 1000;
/** The api waits for 25 s. */
const maxWaitMs = 20_000;
const maxSentBytes = 4096;
/** What marks a request, and the event as a user property of its message. */
const mark = 'causeway-test';

export class RouteTester {
  readonly #options: RouteTesterOptions;
  readonly #now: () => number;
  #isTesting = false;
  #restUntilMs = 0;

  constructor(options: RouteTesterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Sends one, of a topic that the filter matches where none is given. Our own ingest gets an empty batch. */
  async test(topic?: string): Promise<TestOutcome> {
    const { config } = this.#options;
    const { filter } = config;
    const rule = topic === undefined ? undefined : topicFault(topic);
    if (rule !== undefined) return { kind: 'wrong topic', rule };
    if (topic !== undefined && !matchesFilter(filter, topic))
      return {
        kind: 'wrong topic',
        rule: `must be one that the route's filter matches: ${filter}`,
      };
    if (this.#isTesting || this.#now() < this.#restUntilMs) return { kind: 'busy' };
    this.#isTesting = true;
    try {
      return { kind: 'tested', test: await this.#send(topic ?? topicFor(filter)) };
    } finally {
      this.#isTesting = false;
      this.#restUntilMs = this.#now() + restMs;
    }
  }

  async #send(topic: string): Promise<RouteTest> {
    const { config, sink } = this.#options;
    const messages = config.ingest ? [] : [this.#message(topic)];
    const built = sink.request(messages);
    if (built.kind === 'unsendable')
      return { verdict: 'unsendable', explanation: `No request can carry it: ${built.reason}.` };
    const { request } = built;
    let headers: Readonly<Record<string, string>> = {};
    let answer: RouteTest['answer'];
    const look: Look = {
      sent(all, proof) {
        headers = maskedHeaders(all, proof);
      },
      answered(status, given, body) {
        const text = body.toString('utf8').toWellFormed();
        answer = { status, headers: maskedHeaders(given, {}), body: text };
      },
    };
    const marked = { ...request, headers: { ...request.headers, [mark]: 'true' } };
    const startedMs = performance.now();
    const posting = sink.post(marked, () => new Set(messages.map(({ id }) => id)), look);
    const attempt = await Promise.race([posting, afterMs(maxWaitMs)]);
    const latencyMs = Math.round(performance.now() - startedMs);
    const sent = {
      method: request.method,
      url: maskedUrl(request.url),
      headers,
      body: firstBytes(request.body, maxSentBytes),
      bodyBytes: request.body.byteLength,
    };
    const said =
      attempt === undefined
        ? ({
            verdict: 'held',
            explanation: `There was no answer within ${maxWaitMs / 1000} seconds. A message would wait for ${config.timeoutMs} ms, and then be kept and sent again.`,
          } as const)
        : meaningOf(attempt.verdict, attempt.status);
    return { ...said, sent, latencyMs, ...(answer !== undefined && { answer }) };
  }

  #message(topic: string): Message {
    const { config, source } = this.#options;
    const payload = {
      test: true,
      route: config.name,
      text: 'A test event of Causeway: no device has sent it.',
    };
    return {
      id: `test-${uuidv7()}`,
      source,
      topic,
      time: timeText(this.#now()),
      payload: Buffer.from(JSON.stringify(payload)),
      qos: 1,
      retain: false,
      properties: { contentType: 'application/json', userProperties: [[mark, 'true']] },
    };
  }
}

/** A topic that the filter matches; `test` stands for its wildcards. */
export function topicFor(filter: string): string {
  return filter
    .split('/')
    .map((level) => (level === '+' || level === '#' ? 'test' : level))
    .join('/');
}

function meaningOf(
  verdict: Verdict,
  status: number | undefined,
): Pick<RouteTest, 'verdict' | 'explanation'> {
  switch (verdict.kind) {
    case 'answered': {
      const [failure] = verdict.failures.values();
      if (failure === undefined)
        return { verdict: 'delivered', explanation: 'The handler has taken it.' };
      const { reason = 'no reason given', retryable = true } = failure;
      const then = retryable ? 'is kept and sent again' : 'becomes a dead letter';
      return {
        verdict: 'failed',
        explanation: `The receipt names it as failed (${reason}): such a message ${then}.`,
      };
    }
    case 'hold':
      return {
        verdict: 'held',
        explanation: `${sentence(verdict.reason)} A message is kept and sent again. ${handlerCure(status, verdict.reason)}`,
      };
    case 'rejected':
      return {
        verdict: 'refused',
        explanation: `${sentence(verdict.reason)} A message that gets this alone becomes a dead letter.`,
      };
    case 'gone':
      return {
        verdict: 'disabled',
        explanation: `${sentence(verdict.reason)} A message that gets this disables the route until somebody resumes it.`,
      };
  }
}

function sentence(reason: string): string {
  return `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}.`;
}

function firstBytes(bytes: Buffer, max: number): string {
  return bytes.subarray(0, max).toString('utf8').toWellFormed();
}

function afterMs(ms: number): Promise<undefined> {
  return new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}
