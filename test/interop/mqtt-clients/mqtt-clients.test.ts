// Client libraries of others with their default settings, against the embedded broker: both ways at QoS 0 to 2, a session
// over a restart, and a request through `POST /v1/publish`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { embedded } from '../brokers/embedded.ts';
import { startWorld, type World } from '../world.ts';
import { type Command, libraries } from './toolchains.ts';

/** A library is fetched and its program built. */
const makingTimeoutMs = 10 * 60_000;

let world: World;
beforeAll(async () => {
  world = await startWorld(embedded);
}, 90_000);
afterAll(() => world?.close(), 60_000);

describe.each(libraries)('$name', ({ name, needs, isThere, hasTextOnly, make }) => {
  describe.skipIf(!isThere)(isThere ? 'its program' : `(not run: needs ${needs})`, () => {
    const client = name.replaceAll(/[^A-Za-z]/g, '');
    let command: Command;
    beforeAll(async () => {
      command = await make(temporaryFolder(`client-${client}`));
    }, makingTimeoutMs);

    test('echoes at QoS 0 to 2, answers a command, and keeps its session over SIGKILL of the broker', async () => {
      await startProgram(command, client);
      const peer = await world.connectDevice({ protocolVersion: 5 });
      const echoes = await echoesOf(peer, client);
      // Where a program has just begun to listen, QoS 0 may come too early.
      await until(async () => {
        await peer.publishAsync(`${client}/down/0`, 'x0', { qos: 0 });
        return echoes.includes('0 x0');
      });
      await peer.publishAsync(`${client}/down/1`, 'x1', { qos: 1 });
      await peer.publishAsync(`${client}/down/2`, 'x2', { qos: 2 });
      await until(() => echoes.includes('1 x1') && echoes.includes('2 x2'));

      const bridge = await world.startBridge({
        name: `asks-${client}`,
        filter: 'none/#',
        broker: { protocolVersion: 5 },
      });
      const answer = await bridge.publish({
        topic: `${client}/ask`,
        ...(hasTextOnly && { responseTopic: `${client}/answer/{commandId}` }),
        payload: {},
        waitFor: 'reply',
        timeoutSeconds: 20,
      });
      expect(answer).toMatchObject({ status: 'answered', reply: { payload: 'pong' } });
      await bridge.drain();

      await world.broker.end('SIGKILL');
      await world.broker.startAgain();
      // The program subscribes again only where no session is present, and none of these is sent twice.
      const later = await world.connectDevice({ protocolVersion: 5 });
      const echoesLater = await echoesOf(later, client);
      for (const qos of [1, 2] as const)
        await later.publishAsync(`${client}/down/${qos}`, `y${qos}`, { qos });
      await until(() => echoesLater.includes('1 y1') && echoesLater.includes('2 y2'), {
        timeoutMs: 90_000,
      });
      expect(echoesLater.filter((echo) => echo === '2 y2')).toHaveLength(1);
    }, 240_000);
  });
});

/** QoS and payload of all that the client sends back. */
async function echoesOf(peer: MqttClient, client: string): Promise<string[]> {
  const echoes: string[] = [];
  peer.on('message', (_, payload, { qos }) => echoes.push(`${qos} ${payload}`));
  await peer.subscribeAsync(`${client}/up/+`, { qos: 2 });
  return echoes;
}

/** Starts the program in a group of its own, as some start others; resolves when it has subscribed. */
async function startProgram([program, ...options]: Command, client: string): Promise<void> {
  const child = spawn(program, [...options, String(world.broker.port), client], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  });
  await until(() => printed.includes('subscribed') || child.exitCode !== null, {
    timeoutMs: 60_000,
    what: `${client} has subscribed`,
  });
  expect(child.exitCode, printed).toBe(null);
}
