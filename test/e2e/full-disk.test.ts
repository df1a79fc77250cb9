// `npm start` on a disk that is full: it refuses, says why, loses nothing that it acknowledged, and goes on with room.
import { randomBytes } from 'node:crypto';
import mqtt from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { canMount, mountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/wait.ts';
import { startWebhookStack } from '../support/webhook-stack.ts';

test.skipIf(!canMount)(
  'a full disk: CONNACK 3, no PUBACK, 503 with the reason, not ready; and with room all goes on',
  async () => {
    const disk = mountSmallDisk(60);
    const stack = await startWebhookStack({ routes: [], folder: disk.folder });
    const ready = async () => (await fetch(`${stack.apiUrl}/readyz`)).status;
    const connect = (clientId: string) =>
      mqtt.connectAsync(stack.brokerUrl, {
        protocolVersion: 4,
        clientId,
        clean: false,
        reconnectPeriod: 0,
      });
    expect(await ready()).toBe(200);
    await stack.publish('rooms/1', 'before');

    disk.fill(48e6);
    const device = await connect('device');
    onTestFinished(() => device.endAsync(true));
    const acknowledged: number[] = [];
    let sent = 0;
    device.on('error', () => {});
    while (device.connected && sent < 400) {
      const n = sent++;
      await Promise.race([
        device.publishAsync(`rooms/2/${n}`, randomBytes(100_000), { qos: 1 }).then(
          () => acknowledged.push(n),
          () => {},
        ),
        new Promise((resolve) => setTimeout(resolve, 2000)),
      ]);
      if ((await ready()) === 503) break;
    }
    expect(await ready()).toBe(503);
    const { problems } = (await (await fetch(`${stack.apiUrl}/readyz`)).json()) as {
      problems: string[];
    };
    expect(problems).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(database|broker): .*[Nn]o space/)]),
    );
    await until(async () => !(await accepts()), { what: 'clients refused' });
    async function accepts(): Promise<boolean> {
      return connect('other').then(
        (client) => client.endAsync(true).then(() => true),
        (error: { code?: number }) => {
          expect(error.code).toBe(3);
          return false;
        },
      );
    }
    expect(acknowledged.length).toBeGreaterThan(0);
    const refused = await stack.call('POST', '/v1/publish', { topic: 'rooms/1/cmd', payload: 'x' });
    if (refused.status !== 202)
      expect(refused).toMatchObject({ status: 503, body: { code: 'database-unavailable' } });

    disk.free();
    await until(async () => (await ready()) === 200, { what: 'ready again' });
    await stack.publish('rooms/3', 'after');
    // What was acknowledged is stored, now or once the bridge has sent it again.
    for (const n of acknowledged)
      await until(
        async () =>
          (await stack.call('GET', `/v1/messages?topic=rooms/2/${n}`)).body.messages.length === 1,
        { what: `message ${n}, which was acknowledged` },
      );
  },
);
