// The store forces its writes to the disk where it is told to, and only there.
import { ClassicLevel } from 'classic-level';
import mqtt from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { until } from '../../support/wait.ts';
import { start } from './started.ts';

test.each([false, true])(
  'syncWrites %s reaches every batch of the database',
  async (syncWrites) => {
    // Looks on; the writes are done.
    const level = ClassicLevel.prototype as unknown as { _batch(...parts: unknown[]): unknown };
    const batches = vi.spyOn(level, '_batch');
    onTestFinished(() => batches.mockRestore());
    const broker = await start({ syncWrites });
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
      clientId: 'one',
      clean: false,
    });
    const received: string[] = [];
    client.on('message', (_, payload) => received.push(String(payload)));
    await client.subscribeAsync('a', { qos: 2 });
    await client.publishAsync('a', 'x', { qos: 2 });
    await until(() => received.length === 1);
    await client.endAsync();
    expect(batches.mock.calls.length).toBeGreaterThan(3);
    for (const call of batches.mock.calls as unknown[][])
      expect(call[1]).toEqual({ sync: syncWrites });
  },
);
