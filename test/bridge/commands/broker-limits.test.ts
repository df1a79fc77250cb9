// Commands that mosquitto does not take, each in its own way: such a command fails alone, and says why.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type IPublishPacket } from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Bridge } from '../../../bridge/bridge.ts';
import type { Outcome } from '../../../functions/contract/command.ts';
import type { QueuedCommand } from '../../../functions/table/queued-command.ts';
import { startTestBridge } from '../../support/bridges.ts';
import {
  hasMosquitto,
  needsMosquitto,
  startMosquitto,
  temporaryFolder,
} from '../../support/brokers.ts';
import { command, record } from '../../support/queue.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const token = 'token-of-the-bridge';

interface Setup {
  readonly received: IPublishPacket[];
  send(...commands: QueuedCommand[]): Promise<Outcome[]>;
}

async function start(version: 4 | 5, settings: readonly string[], acl?: string): Promise<Setup> {
  const folder = temporaryFolder('limits');
  if (acl !== undefined) writeFileSync(join(folder, 'acl'), acl, { mode: 0o644 });
  const broker = await startMosquitto({
    folder,
    settings: [...settings, ...(acl === undefined ? [] : [`acl_file ${join(folder, 'acl')}`])],
  });
  onTestFinished(() => broker.stop());
  const table: TestTable = await startTable();
  onTestFinished(() => table.close());
  const device = await mqtt.connectAsync(broker.url, { protocolVersion: version });
  onTestFinished(() => device.endAsync(true));
  const received: IPublishPacket[] = [];
  device.on('message', (_, __, packet) => received.push(packet));
  await device.subscribeAsync('d/#', { qos: 1 });
  const bridge: Bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: 'http://127.0.0.1:9/',
    route: { filter: 'nothing/here' },
    broker: { protocolVersion: version },
    token,
    table,
  });
  await until(() => bridge.status().ready);
  return {
    received,
    async send(...commands) {
      await record(table, ...commands);
      const body = {
        commands: commands.map(({ id }) => ({ id, waitFor: 'broker' })),
        timeoutMs: 25_000,
      };
      const answer = await until(async () => {
        const response = await fetch(`${bridge.url}/deliver`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        });
        return response.ok ? response : undefined;
      });
      return ((await answer.json()) as { outcomes: Outcome[] }).outcomes;
    },
  };
}

const poison = expect.stringContaining('ended twice with this command alone in flight');
const states = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ status, error }) => error?.detail ?? status);

const name = `mosquitto ${hasMosquitto ? '' : needsMosquitto}`.trim();

describe.skipIf(!hasMosquitto)(name, () => {
  test('refuses by its ACL: PUBACK 0x87 on MQTT 5', async () => {
    const { send, received } = await start(5, [], 'topic read #\ntopic write d/1/#\n');
    const outcomes = await send(
      command({ topic: 'd/1/cmd', payload: '1' }),
      command({ topic: 'd/2/cmd', payload: 'forbidden' }),
      command({ topic: 'd/2/cmd', payload: 'forbidden', qos: 2 }),
      command({ topic: 'd/1/cmd', payload: '2' }),
    );
    const refused = 'the broker refused it with 0x87 (Not authorized)';
    expect(states(outcomes)).toEqual(['sent', refused, refused, 'sent']);
    await until(() => received.length === 2);
    expect(received.map(({ payload }) => payload.toString())).toEqual(['1', '2']);
  });

  test('closes on a response topic of more than 200 levels: it never gets one', async () => {
    const { send, received } = await start(5, []);
    const others = Array.from({ length: 20 }, (_, index) => command({ topic: `d/${index}` }));
    const [first, ...rest] = await send(
      command({
        topic: 'd/asked',
        payload: 'how warm?',
        awaitsReply: true,
        properties: {
          responseTopic: `${'r/'.repeat(205)}{commandId}`,
          correlationData: Buffer.from('x'),
        },
      }),
      ...others,
    );
    expect(states(first === undefined ? [] : [first])).toEqual([
      'the response topic must have at most 128 levels: the broker takes no more',
    ]);
    expect(states(rest)).toEqual(others.map(() => 'sent'));
    await until(() => new Set(received.map(({ topic }) => topic)).size === 20);
    expect(received.some(({ topic }) => topic === 'd/asked')).toBe(false);
  });

  test('has a largest packet, and says so on MQTT 5', async () => {
    const { send, received } = await start(5, ['max_packet_size 2000']);
    const outcomes = await send(
      command({ payload: '1' }),
      command({ payload: 'x'.repeat(3000) }),
      command({ payload: '2' }),
    );
    expect(states(outcomes)).toEqual([
      'sent',
      expect.stringMatching(/^it takes a packet of 30\d\d bytes, and the broker 2000$/),
      'sent',
    ]);
    await until(() => received.length === 2);
  });

  test('closes on a packet that is too large on MQTT 3.1.1, without a word', async () => {
    const { send, received } = await start(4, ['max_packet_size 2000']);
    const others = Array.from({ length: 30 }, (_, index) => command({ topic: `d/${index}/other` }));
    const outcomes = await send(
      command({ payload: '1' }),
      command({ payload: 'x'.repeat(3000) }),
      command({ payload: '2' }),
      ...others,
    );
    expect(states(outcomes)).toEqual(['sent', poison, 'sent', ...others.map(() => 'sent')]);
    await until(() => received.length >= 32);
  });

  test('has a largest payload, and a PUBACK for it that is none [MQTT-3.4.2.1]', async () => {
    const { send } = await start(5, ['message_size_limit 1000']);
    const outcomes = await send(
      command({ payload: '1' }),
      command({ payload: 'x'.repeat(3000) }),
      command({ payload: '2' }),
    );
    expect(states(outcomes)).toEqual(['sent', poison, 'sent']);
  });
});
