// Server-sent events out of a body, however it is cut into chunks.
import { expect, test } from 'vitest';
import { event, heartbeat, retryLine } from '../../../functions/api/live/events.ts';
import { eventsOf, type StreamState } from '../../../infra/cli/server-sent-events.ts';
import { fc } from '../../support/property.ts';

async function* chunksOf(text: string, sizes: readonly number[]) {
  const bytes = Buffer.from(text);
  for (let start = 0, index = 0; start < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

test('what the api writes is read as it was, in any chunks', async () => {
  const told = fc.record({
    name: fc.constantFrom('message', 'ready'),
    data: fc
      .array(fc.constantFrom('a', 'ä€😀', '\n', ':', ' ', '\r\n', '\r'))
      .map((all) => all.join('')),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(told),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      async (all, sizes) => {
        const text = all.map(({ name, data }, index) => event(name, data, `c${index}`));
        const state: StreamState = {};
        const read: unknown[] = [];
        const body = `${retryLine(1000)}${text.join(heartbeat)}id: half`;
        for await (const one of eventsOf(chunksOf(body, sizes), state)) read.push(one);
        const lines = (data: string) => data.replaceAll(/\r\n|\r/g, '\n');
        expect(read).toEqual(all.map(({ name, data }) => ({ event: name, data: lines(data) })));
        const last = all.length === 0 ? undefined : `c${all.length - 1}`;
        expect(state).toEqual({ retryMs: 1000, ...(last !== undefined && { lastEventId: last }) });
      },
    ),
  );
});
