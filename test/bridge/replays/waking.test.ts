// When a bridge looks for replays: at once when it is woken, whatever it is doing.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startReplays } from '../../../bridge/replays/replays.ts';
import { localClient } from '../../../infra/local/database.ts';
import { until } from '../../support/wait.ts';

test('woken while it looks, it looks once more, also after a wait that nobody ended', async () => {
  let looks = 0;
  let isLate = false;
  const client = localClient('http://127.0.0.1:1');
  const replays = startReplays({
    table: {
      async next() {
        looks++;
        if (looks !== 2) return undefined;
        replays.wake();
        // A bridge that has heard it looks before any timer is due.
        void delay(500).then(() => {
          isLate = looks === 2;
        });
        return undefined;
      },
      save: async () => true,
    },
    source: { client, tableName: 'none' },
    writeShards: 1,
    pollSeconds: 1,
    routes: [],
    replayDeadLetter: undefined,
    acquire: undefined,
    leaseName: 'causeway-replays',
    log: pino({ level: 'silent' }),
  });
  await until(() => looks >= 3);
  expect(isLate).toBe(false);
  await replays.drain(AbortSignal.timeout(1000));
  client.destroy();
});
