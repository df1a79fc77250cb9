// The whole bridge against each real broker: one suite, the same for all. A broker that cannot do a thing has a row
// that says what happens instead, and fails when that changes.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { brokers } from './brokers/brokers.ts';
import { expectedOutcome } from './expected.ts';
import { keepResults, type Results } from './results.ts';
import { rowNames, rows } from './rows/rows.ts';
import { startWorld, type World } from './world.ts';

const results: Results = new Map();
afterAll(() => keepResults(results));

describe.each(brokers)('$name', (kind) => {
  const missing = kind.version === undefined;
  describe.skipIf(missing)(
    missing ? `(needs ${kind.name}: apt-get install ${kind.package})` : `${kind.version}`,
    () => {
      let world: World;
      beforeAll(async () => {
        world = await startWorld(kind);
      }, 90_000);
      afterEach(() => {
        world.handler.fault = undefined;
      });
      afterAll(() => world?.close(), 60_000);

      test.each(rowNames)(
        '%s',
        async (name) => {
          const outcome = await rows[name].observe(world);
          expect(outcome).toBe(expectedOutcome(name, kind.name));
          results.set(`${kind.name} ${name}`, outcome);
        },
        120_000,
      );
    },
  );
});
