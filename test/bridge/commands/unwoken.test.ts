// Commands that nobody wakes the bridge for: found by the change marker, and without one nothing is looked for.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ChangeWatch } from '../../../bridge/base/change-watch.ts';
import { knownScopes, principalOf } from '../../../functions/api/access/scopes.ts';
import { createCommands } from '../../../functions/api/commands/service.ts';
import { publishRequestSchema } from '../../../functions/contract/command.ts';
import { readChangeMarker } from '../../../functions/table/change-marker.ts';
import { queuePartition } from '../../../functions/table/queued-command.ts';
import { startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { startFakeBroker } from '../fake-broker.ts';
import { start, texts } from './scripted-dispatch.ts';

test('a command whose wake was lost leaves by its mark, and an idle queue is not read', async () => {
  const table = await startTable();
  onTestFinished(() => table.close());
  let queueReads = 0;
  table.client.middlewareStack.add(
    (next) => async (args) => {
      const { ExpressionAttributeValues: values } = args.input as {
        ExpressionAttributeValues?: Record<string, { S?: string }>;
      };
      if (values?.[':pk']?.S?.startsWith(queuePartition(0).slice(0, -1))) queueReads++;
      return next(args);
    },
    { step: 'initialize' },
  );
  // What was written at the start of the bridge is long there.
  const changes = new ChangeWatch({
    read: () => readChangeMarker(table),
    announcedMs: 1500,
    pollMs: 50,
  });
  onTestFinished(() => changes.stop());
  const broker = await startFakeBroker();
  await start(broker, { pollSeconds: 1 }, { table, changes });
  await until(() => queueReads >= 8 && !changes.areRecent);
  const before = queueReads;
  // Longer than the time between two looks.
  await delay(2500);
  expect(queueReads).toBe(before);

  const caller = principalOf('token:a', knownScopes(['publish:#']));
  const api = createCommands({ ...table, deliver: async () => undefined });
  const request = publishRequestSchema.parse({ topic: 'lamp/cmd', payload: 'on' });
  const [result] = await api.publish([{ request, payload: Buffer.from('on') }], caller);
  expect(result?.ok).toBe(true);
  await until(() => texts(broker).includes('on'));
});
