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
