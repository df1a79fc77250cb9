// What stands in the terminal while `npm start` runs.
import { afterEach, expect, test, vi } from 'vitest';
import type { Condition } from '../../../bridge/alerts/condition.ts';
import { ConditionWatch } from '../../../bridge/alerts/condition-watch.ts';
import { reportCalls, reportConditions } from '../../../infra/local/report.ts';
import { message } from '../../support/messages.ts';

afterEach(() => {
  vi.useRealTimers();
});

const call = {
  at: '2026-01-31T12:00:00.000Z',
  latencyMs: 12.4,
  isSent: true,
  status: 200,
  verdict: { kind: 'answered', failures: new Map(), duplicates: 0 },
} as const;
const delivered = [message({ topic: 'rooms/kitchen' })];

test('a condition is printed with its cure, and again when it is over', () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  let now: Condition[] = [];
  const end = reportConditions(
    () => now,
    new ConditionWatch(0),
    (line) => lines.push(line),
  );
  const reason = 'connect ECONNREFUSED 127.0.0.1:3000';
  now = [{ kind: 'holding', subject: 'hook', reason }];
  vi.advanceTimersByTime(1000);
  expect(lines).toEqual([
    expect.stringContaining(`hook HOLDS: ${reason}`),
    expect.stringContaining('start the handler'),
  ]);
  now = [];
  vi.advanceTimersByTime(3000);
  expect(lines.slice(2)).toEqual([expect.stringContaining('hook delivers again, after 1 s')]);
  end();
  now = [{ kind: 'holding', subject: 'hook', reason }];
  vi.advanceTimersByTime(1000);
  expect(lines).toHaveLength(3);
});

test('a request is a line: topic, status, latency and what it meant', () => {
  const lines: string[] = [];
  const report = reportCalls('hook', (line) => lines.push(line));
  report(delivered, call);
  const hold = { kind: 'hold', reason: 'no answer', overloaded: true, broken: false } as const;
  report([...delivered, ...delivered], { ...call, status: undefined, verdict: hold });
  report(delivered, { ...call, isSent: false, verdict: { kind: 'rejected', reason: 'too large' } });
  expect(lines.map((line) => line.slice(8))).toEqual([
    '  hook  rooms/kitchen  200  12 ms  delivered',
    '  hook  rooms/kitchen and 1 more  —  12 ms  holds, tries again: no answer',
    '  hook  rooms/kitchen  not sent  refused: too large',
  ]);
});

test('nothing that a device or a handler says steers the terminal', () => {
  const lines: string[] = [];
  const report = reportCalls('hook', (line) => lines.push(line));
  const topic = 'a\u001b[2J\u202eb\n';
  const rejected = { kind: 'rejected', reason: 'x\u001b]0;title\u0007' } as const;
  report([message({ topic })], {
    ...call,
    verdict: rejected,
  });
  expect(lines.join('\n')).not.toMatch(/\p{C}/u);
});

test('more than 20 requests in a second are counted', () => {
  vi.useFakeTimers({ now: 1000 });
  const lines: string[] = [];
  const report = reportCalls('hook', (line) => lines.push(line));
  for (let request = 0; request < 50; request++) report(delivered, call);
  expect(lines).toHaveLength(20);
  vi.setSystemTime(2000);
  report(delivered, call);
  expect(lines.slice(20)).toEqual([
    expect.stringContaining('and 30 more requests'),
    expect.stringContaining('rooms/kitchen'),
  ]);
});
