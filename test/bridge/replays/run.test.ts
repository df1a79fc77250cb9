// A replay from its first look to its end, in memory: what is sent, what is written down, and what a crash costs.

import { expect, onTestFinished, test, vi } from 'vitest';
import { type RunOptions, runReplay } from '../../../bridge/replays/run.ts';
import { refusalOf, type Sent } from '../../../bridge/replays/sending.ts';
import type { Entries, Letter } from '../../../bridge/replays/sources.ts';
import { noProgress, type Replay } from '../../../functions/table/replay.ts';
import { fc } from '../../support/property.ts';

const asked: Replay = {
  id: 'r1',
  status: 'pending',
  createdAt: '2026-01-01T00:00:00.000Z',
  request: { source: 'messages', filter: '#', messagesPerSecond: 10_000, dryRun: false },
  progress: noProgress,
};

/** Entries by number, `00` to `count` − 1. */
function numbered(count: number): Entries<Letter> {
  return async function* (_request, after) {
    for (let index = 0; index < count; index++) {
      const key = String(index).padStart(3, '0');
      if (after?.key !== undefined && key <= after.key) continue;
      yield {
        position: { key },
        bytes: 10,
        read: async () => ({ kind: 'read', value: { id: key, topic: 'a' } }),
      };
    }
  };
}

type Script = Pick<RunOptions<Letter>, 'save' | 'signal'> & {
  readonly count: number;
  readonly send: (entries: readonly Letter[]) => Promise<Sent<Letter>>;
  readonly from?: Replay;
  readonly entries?: Entries<Letter>;
};

async function run({ count, send, save, signal, from = asked, entries }: Script): Promise<void> {
  const work = { entries: entries ?? numbered(count), send, maxBatch: 7, maxBatchBytes: 1_000_000 };
  // There is always news: no test waits for a back-off.
  const news = () => AbortSignal.abort();
  await runReplay(from, { work, save, news, signal, mayHandOver: () => false });
}

const never = new AbortController().signal;
const all = (entries: readonly Letter[]): Sent<Letter> => ({
  delivered: entries.length,
  refusals: [],
  again: [],
});

function recorder() {
  const saved: Replay[] = [];
  return {
    saved,
    last: () => saved.at(-1),
    async save(replay: Replay) {
      saved.push(replay);
      return true;
    },
  };
}

test('counts, sends everything in order, and is done', async () => {
  const { save, last } = recorder();
  const got: string[] = [];
  const send = async (entries: readonly Letter[]) => {
    got.push(...entries.map(({ id }) => id));
    return all(entries);
  };
  await run({ count: 20, send, save, signal: never });
  expect(got).toEqual(Array.from({ length: 20 }, (_, index) => String(index).padStart(3, '0')));
  expect(last()).toMatchObject({
    status: 'done',
    progress: { total: 20, delivered: 20, refused: 0, endedAt: expect.any(String) },
  });
});

test('a dry run sends nothing', async () => {
  const { save, last } = recorder();
  const from = { ...asked, request: { ...asked.request, dryRun: true } };
  const send = async () => {
    throw new Error('nothing may be sent');
  };
  await run({ count: 20, send, save, signal: never, from });
  expect(last()).toMatchObject({ status: 'done', progress: { total: 20, delivered: 0 } });
});

test('an outage is waited for, however long, and told', async () => {
  const { save, saved, last } = recorder();
  let tries = 0;
  const send = async (entries: readonly Letter[]): Promise<Sent<Letter>> =>
    ++tries <= 50
      ? { delivered: 0, refusals: [], again: entries, waiting: 'status 503', outage: true }
      : all(entries);
  await run({ count: 10, send, save, signal: never });
  expect(tries).toBe(52);
  expect(saved.some(({ progress }) => progress.waiting === 'status 503')).toBe(true);
  expect(last()).toMatchObject({ status: 'done', progress: { delivered: 10, refused: 0 } });
  expect(last()?.progress.waiting).toBeUndefined();
});

test('what the handler fails while it takes others is refused after ten tries', async () => {
  const { save, last } = recorder();
  let tries = 0;
  const send = async (entries: readonly Letter[]): Promise<Sent<Letter>> => {
    const bad = entries.filter(({ id }) => id === '003');
    if (bad.length > 0) tries++;
    return {
      delivered: entries.length - bad.length,
      refusals: [],
      again: bad,
      ...(bad.length > 0 && { waiting: 'lock' }),
    };
  };
  await run({ count: 10, send, save, signal: never });
  expect(tries).toBe(10);
  expect(last()?.progress).toMatchObject({
    delivered: 9,
    refused: 1,
    refusals: [{ id: '003', topic: 'a', reason: 'lock' }],
  });
});

test('refusals are all counted, and the first twenty told', async () => {
  const { save, last } = recorder();
  const send = async (entries: readonly Letter[]): Promise<Sent<Letter>> => ({
    delivered: 0,
    refusals: entries.map((entry) => refusalOf(entry, 'x'.repeat(10_000))),
    again: [],
  });
  await run({ count: 100, send, save, signal: never });
  expect(last()?.progress.refused).toBe(100);
  expect(last()?.progress.refusals).toHaveLength(20);
  expect(last()?.progress.refusals[0]?.reason).toHaveLength(256);
});

test('what cannot be read is refused as it is met, however much of it there is', async () => {
  const { save, saved } = recorder();
  const readable = numbered(20);
  const entries: Entries<Letter> = async function* (...range) {
    for await (const entry of readable(...range))
      yield {
        ...entry,
        read: async () => ({ kind: 'damaged', letter: { id: 'x', topic: 'a' }, reason: 'gone' }),
      };
  };
  await run({ count: 20, send: async (some) => all(some), save, signal: never, entries });
  const refused = saved.map(({ progress }) => progress.refused);
  expect([...new Set(refused)]).toEqual([0, 7, 14, 20]);
});

test('a handler that asks for no time is left alone all the same', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  onTestFinished(() => void vi.restoreAllMocks());
  const { save } = recorder();
  let tries = 0;
  const send = async (entries: readonly Letter[]): Promise<Sent<Letter>> =>
    ++tries <= 2
      ? { delivered: 0, refusals: [], again: entries, outage: true, retryAfterMs: 0 }
      : all(entries);
  const beganMs = performance.now();
  const work = { entries: numbered(1), send, maxBatch: 7, maxBatchBytes: 1_000_000 };
  const news = () => never;
  await runReplay(asked, { work, save, news, signal: never, mayHandOver: () => false });
  // 200 and 400 ms, but for what a timer fires too early.
  expect(performance.now() - beganMs).toBeGreaterThan(550);
});

test('a cancelled one sends nothing more, also in an outage', async () => {
  let tries = 0;
  const send = async (entries: readonly Letter[]): Promise<Sent<Letter>> => {
    tries++;
    return { delivered: 0, refusals: [], again: entries, waiting: 'away', outage: true };
  };
  const save = async ({ status }: Replay) => !(status === 'sending' && tries >= 3);
  await run({ count: 10, send, save, signal: never });
  expect(tries).toBe(3);
});

test('whatever happens and wherever it is killed, everything is delivered or refused, in order', async () => {
  const outcomes = fc.constantFrom('all', 'some', 'refuse first', 'outage', 'kill');
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fc.array(outcomes, { maxLength: 60 }), async (count, script) => {
      const settled: string[] = [];
      const steps = [...script];
      let kept: Replay = asked;
      while (kept.status !== 'done') {
        const life = new AbortController();
        const send = async (entries: readonly Letter[]): Promise<Sent<Letter>> => {
          const [first, ...others] = entries;
          const step = steps.shift() ?? 'all';
          if (first === undefined || step === 'all') {
            settled.push(...entries.map(({ id }) => id));
            return all(entries);
          }
          settled.push(...(step === 'some' || step === 'refuse first' ? [first.id] : []));
          if (step === 'some')
            return { delivered: 1, refusals: [], again: others, waiting: 'later' };
          if (step === 'refuse first')
            return { delivered: 0, refusals: [refusalOf(first, 'bad')], again: others };
          if (step === 'kill') life.abort();
          return { delivered: 0, refusals: [], again: entries, waiting: 'away', outage: true };
        };
        const save = async (replay: Replay) => {
          kept = replay;
          return true;
        };
        await run({ count, send, save, signal: life.signal, from: kept });
      }
      // Killed ones are sent again; their first times are in order, and none is missing.
      const firsts = settled.filter((id, index) => settled.indexOf(id) === index);
      expect(firsts).toEqual(firsts.toSorted());
      expect(new Set(settled).size).toBe(count);
      const { total, delivered, refused } = kept.progress;
      expect([total, delivered + refused]).toEqual([count, count]);
    }),
    { numRuns: 150 },
  );
});
