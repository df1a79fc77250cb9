import { expect, test } from 'vitest';
import { Window } from '../../../bridge/session/window.ts';
import { fc } from '../../support/property.ts';

test('releases in arrival order whatever the order of settling, each once, none early [MQTT-4.6.0-2]', () => {
  const script = fc.integer({ min: 1, max: 200 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      order: fc.shuffledSubarray([...Array(count).keys()], { minLength: 0, maxLength: count }),
    }),
  );
  fc.assert(
    fc.property(script, ({ count, order }) => {
      const window = new Window<{ packetId: number; settled: boolean }>();
      const entries = Array.from({ length: count }, (_, index) => ({
        packetId: index + 1,
        settled: false,
      }));
      for (const entry of entries) window.add(entry);
      const released: number[] = [];
      for (const index of order) {
        const entry = entries[index];
        if (entry !== undefined) entry.settled = true;
        released.push(...window.release().map(({ packetId }) => packetId));
      }
      const firstUnsettled = entries.findIndex(({ settled }) => !settled);
      const expected = firstUnsettled === -1 ? count : firstUnsettled;
      expect(released).toEqual(entries.slice(0, expected).map(({ packetId }) => packetId));
      expect(window.size).toBe(count - expected);
      expect(window.pending()).toEqual(entries.slice(expected));
    }),
  );
});

test('entries come and go in any turns, as in a list', () => {
  const turn = fc.record({ added: fc.nat(150), released: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 20 }), (turns) => {
      const window = new Window<{ packetId: number; settled: boolean }>();
      let list: { packetId: number; settled: boolean }[] = [];
      for (const { added, released } of turns) {
        const entries = Array.from({ length: added }, (_, packetId) => ({
          packetId,
          settled: false,
        }));
        for (const entry of entries) window.add(entry);
        list.push(...entries);
        for (const entry of list.slice(0, released)) entry.settled = true;
        expect(window.release()).toEqual(list.slice(0, released));
        list = list.slice(released);
        expect(window.size).toBe(list.length);
        expect(window.oldest).toBe(list[0]);
        expect(window.pending()).toEqual(list);
      }
    }),
  );
});
