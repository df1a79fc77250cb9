// Spans of messages and requests: whose trace a request is in, what it is linked to, and when a message's span ends.
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../../bridge/forwarding/handler-calls.ts';
import type { HandlerRequest } from '../../../bridge/handler/request.ts';
import { MessageSpans, maxLinks } from '../../../bridge/tracing/message-spans.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

function started() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    spanLimits: { linkCountLimit: maxLinks },
  });
  const spans = new MessageSpans(provider.getTracer('test'), 'store');
  const ended = () =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      context: span.spanContext(),
      parent: span.parentSpanContext?.spanId,
      links: span.links.map(({ context }) => context.spanId),
      status: span.status,
      attributes: span.attributes,
      startMs: span.startTime[0] * 1000 + span.startTime[1] / 1e6,
    }));
  return { spans, ended };
}

const request: HandlerRequest = {
  method: 'POST',
  url: new URL('https://shop.example/mqtt'),
  headers: { 'content-type': 'x', traceparent: 'another' },
  body: Buffer.alloc(0),
};

const traced = (flags = '01'): Message =>
  message({
    properties: {
      userProperties: [
        ['traceparent', `00-${traceId}-${spanId}-${flags}`],
        ['tracestate', 'vendor=7'],
      ],
    },
  });

function call(verdict: Call['verdict'], status = 200): Call {
  return { verdict, status, at: new Date().toISOString(), latencyMs: 1, isSent: true };
}

/** Less the messages with these ids, which are to be tried again. */
const delivered = (...ids: string[]) =>
  call({
    kind: 'answered',
    failures: new Map(ids.map((id) => [id, { itemIdentifier: id, retryable: true }])),
    duplicates: 0,
  });

describe('one message', () => {
  test('its span is in the trace of the device, and the request is its child', () => {
    const { spans, ended } = started();
    const one = traced();
    const begun = spans.begin([one], request);
    begun.end(delivered());
    const [sent, received] = ended();
    expect(received).toMatchObject({
      name: 'receive store',
      context: { traceId },
      parent: spanId,
      links: [],
      startMs: Date.parse(one.time),
      attributes: { 'causeway.state': 'delivered' },
    });
    expect(sent).toMatchObject({
      name: 'POST store',
      context: { traceId },
      parent: received?.context.spanId,
      attributes: { 'http.response.status_code': 200, 'messaging.batch.message_count': 1 },
    });
    expect(begun.request.headers).toEqual({
      'content-type': 'x',
      traceparent: `00-${traceId}-${sent?.context.spanId}-01`,
      tracestate: 'vendor=7',
    });
  });

  test('without a trace of the device it begins one', () => {
    const { spans, ended } = started();
    const { request: sent, end } = spans.begin([message()], request);
    end(delivered());
    expect(ended()[1]?.parent).toBeUndefined();
    expect(sent.headers['traceparent']).toBe(
      `00-${ended()[1]?.context.traceId}-${ended()[0]?.context.spanId}-01`,
    );
    expect(sent.headers['tracestate']).toBeUndefined();
  });

  test('one that the device does not sample is passed on, and nothing is kept', () => {
    const { spans, ended } = started();
    const { request: sent, end } = spans.begin([traced('00')], request);
    end(delivered());
    expect(sent.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(ended()).toEqual([]);
  });

  test('it is one span over all tries', () => {
    const { spans, ended } = started();
    const one = message();
    spans.begin([one], request).end(call({ kind: 'hold', reason: 'down' } as Call['verdict'], 503));
    expect(ended()).toMatchObject([{ name: 'POST store', status: { code: 2, message: 'down' } }]);
    spans.begin([one], request).end(delivered());
    const [first, second, received] = ended();
    expect([first?.parent, second?.parent]).toEqual([
      received?.context.spanId,
      received?.context.spanId,
    ]);
  });

  test.each(['quarantined', 'refused', 'filtered'] as const)('it ends as %s', (state) => {
    const { spans, ended } = started();
    const one = message();
    if (state !== 'filtered')
      spans
        .begin([one], request)
        .end(call({ kind: 'rejected', reason: 'no', final: true } as Call['verdict'], 422));
    spans.ended(one, state);
    expect(ended().at(-1)).toMatchObject({
      name: 'receive store',
      attributes: { 'causeway.state': state },
      status: { code: state === 'filtered' ? 0 : 2 },
    });
  });
});

describe('a batch', () => {
  test('is in the trace of the first that is sampled, and linked with the others, both ways', () => {
    const { spans, ended } = started();
    const batch = [traced('00'), message(), message(), traced()];
    const { request: sent, end } = spans.begin(batch, request);
    end(delivered());
    const [posted, ...received] = ended();
    expect(received).toHaveLength(3);
    expect(posted?.parent).toBe(received[0]?.context.spanId);
    expect(posted?.links).toEqual(received.slice(1).map(({ context }) => context.spanId));
    expect(received.map(({ links }) => links)).toEqual([
      [],
      [posted?.context.spanId],
      [posted?.context.spanId],
    ]);
    expect(sent.headers['traceparent']).toContain(received[0]?.context.traceId);
  });

  test('what is named as failed is still open', () => {
    const { spans, ended } = started();
    const [good, bad] = [message(), message()];
    spans.begin([good, bad], request).end(delivered(bad.id));
    expect(ended().map(({ attributes }) => attributes['messaging.message.id'])).toEqual([
      undefined,
      good.id,
    ]);
  });

  test('links have a bound', () => {
    const { spans, ended } = started();
    const batch = Array.from({ length: maxLinks + 10 }, () => message());
    spans.begin(batch, request).end(delivered());
    expect(ended()[0]?.links).toHaveLength(maxLinks);
  });
});

describe('what is sent again', () => {
  test('the request is in the trace of a device, linked with the others, and no message has a span', () => {
    const { spans, ended } = started();
    const other = '11f067aa0ba902b7';
    const messages = [
      message(),
      traced('00'),
      traced(),
      message({
        properties: { userProperties: [['traceparent', `00-${traceId}-${other}-01`]] },
      }),
    ].map((one) => ({ ...one, replayId: 'r1' }));
    const begun = spans.beginAgain(messages, request);
    begun.end(delivered());
    const [sent, ...rest] = ended();
    expect(rest).toEqual([]);
    expect(sent).toMatchObject({
      name: 'POST store',
      context: { traceId },
      parent: spanId,
      links: [other],
      attributes: { 'causeway.replay_id': 'r1', 'causeway.verdict': 'answered' },
    });
    expect(begun.request.headers['traceparent']).toContain(sent?.context.spanId);
  });

  test('it begins a trace where no device gave one, and fails where the handler does', () => {
    const { spans, ended } = started();
    const verdict = { kind: 'rejected', reason: 'no' } as const;
    spans.beginAgain([message()], request).end(call(verdict, 422));
    expect(ended()).toMatchObject([
      { parent: undefined, links: [], status: { code: 2, message: 'no' } },
    ]);
  });
});
