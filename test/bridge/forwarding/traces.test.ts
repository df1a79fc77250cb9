// Which messages leave a trace, and what it says.
import { expect, test } from 'vitest';
import { Traces, type Tried } from '../../../bridge/forwarding/traces.ts';
import type { Verdict } from '../../../bridge/handler/verdict.ts';
import type { Trace } from '../../../functions/contract/trace.ts';
import { message } from '../../support/messages.ts';

function opened() {
  const kept: { messageId: string; trace: Trace }[] = [];
  const traces = new Traces('hooks', {
    keep: (messageId, trace) => void kept.push({ messageId, trace }),
    drain: async () => {},
  });
  return { kept, traces };
}

const tried = (verdict: Verdict, status?: number): Tried => ({
  at: '2026-01-01T00:00:00.000Z',
  latencyMs: 12.4,
  status,
  verdict,
});
const stored: Verdict = { kind: 'answered', failures: new Map(), duplicates: 0 };
const held = {
  kind: 'hold',
  reason: 'the handler answered 503',
  overloaded: true,
  broken: false,
  suspicious: true,
} satisfies Verdict;

test('what goes well leaves none', () => {
  const { kept, traces } = opened();
  const one = message();
  traces.tried([one], tried(stored, 200));
  expect(kept).toEqual([]);
  expect(traces.waiting(one.id)).toEqual([]);
});

test('what was held and then delivered tells both, and where it is meanwhile', () => {
  const { kept, traces } = opened();
  const [troubled, beside] = [message({ id: 'a', topic: 'rooms/1' }), message({ id: 'b' })];
  traces.tried([troubled], tried(held, 503));
  expect(traces.waiting('a')).toMatchObject([{ route: 'hooks', state: 'waiting', tries: 1 }]);
  traces.tried([troubled, beside], tried(stored, 200));
  expect(traces.waiting('a')).toEqual([]);
  const at = '2026-01-01T00:00:00.000Z';
  expect(kept).toEqual([
    {
      messageId: 'a',
      trace: {
        route: 'hooks',
        topic: 'rooms/1',
        time: troubled.time,
        state: 'delivered',
        settledAt: expect.any(String),
        tries: 2,
        attempts: [
          {
            at,
            latencyMs: 12,
            status: 503,
            verdict: 'held',
            reason: 'the handler answered 503',
            messages: 1,
          },
          { at, latencyMs: 12, status: 200, verdict: 'delivered', messages: 2 },
        ],
      },
    },
  ]);
});

test('of a batch only those that failed; without an answer there is no status', () => {
  const { kept, traces } = opened();
  const [a, b] = [message({ id: 'a' }), message({ id: 'b' })];
  const failures = new Map([['b', { itemIdentifier: 'b', reason: 'lock', retryable: true }]]);
  traces.tried([a, b], tried({ kind: 'answered', failures, duplicates: 0 }));
  expect(traces.waiting('a')).toEqual([]);
  expect(traces.waiting('b')[0]?.attempts).toEqual([
    { at: expect.any(String), latencyMs: 12, verdict: 'failed', reason: 'lock', messages: 2 },
  ]);
  expect(kept).toEqual([]);
});

test('what is quarantined tells so, also where no handler was asked', () => {
  const { kept, traces } = opened();
  const [refused, broken] = [message({ id: 'a' }), message({ id: 'b' })];
  traces.tried([refused], tried({ kind: 'rejected', reason: 'the handler answered 422' }, 422));
  traces.quarantined(refused);
  traces.quarantined(broken);
  expect(kept).toMatchObject([
    { messageId: 'a', trace: { state: 'quarantined', tries: 1, attempts: [{ status: 422 }] } },
    { messageId: 'b', trace: { state: 'quarantined', tries: 0, attempts: [] } },
  ]);
});

test('of many tries the first and the last are told, and all counted', () => {
  const { traces } = opened();
  const one = message({ id: 'a' });
  for (let index = 0; index < 100; index++)
    traces.tried([one], { ...tried(held, 503), latencyMs: index });
  const [trace] = traces.waiting('a');
  expect(trace?.tries).toBe(100);
  expect(trace?.attempts.map(({ latencyMs }) => latencyMs)).toEqual([
    ...[0, 1, 2, 3, 4],
    ...Array.from({ length: 15 }, (_, index) => 85 + index),
  ]);
});
