// What a session keeps while the bridge, its network or the broker is away.
import { expect, onTestFinished } from 'vitest';
import { startProxy } from '../../faults/rig/proxy.ts';
import { until } from '../../support/wait.ts';
import type { World } from '../world.ts';
import { inFlight } from './flow.ts';
import { deviations, expectStored, numbers, publishAll, untilStored } from './messages.ts';
import type { Outcome, Row } from './row.ts';

const storedTwiceOutcome =
  'no: nothing is lost, but what was in flight comes as if it were new, and is stored twice';

export const sessions = {
  away: {
    capability: 'What is published while the bridge is away arrives, once, in order',
    async observe(world) {
      const options = { name: 'away', filter: 'away/#' };
      await (await world.startBridge(options)).drain();
      const payloads = { 'away/a': numbers(0, 100), 'away/b': numbers(0, 100) };
      await publishAll(await world.connectDevice(), payloads);
      await world.startBridge(options);
      await expectStored(world, payloads);
      return 'yes';
    },
  },
  killed: {
    capability: 'What a bridge that is killed had not acknowledged comes again, once, in order',
    observe: killed,
  },
  takeover: {
    capability: 'A client with the same id throws the bridge out: it comes back, nothing is lost',
    async observe(world) {
      const bridge = await world.startBridge({ name: 'takeover', filter: 'takeover/#' });
      const session = { clientId: 'takeover-store-0', clean: false };
      const properties = { sessionExpiryInterval: 3600 };
      const intruder = await world.connectDevice(
        world.kind.protocolVersion === 5 ? { ...session, properties } : session,
      );
      // It acknowledges nothing.
      intruder.handleMessage = (_, done) => (done as (error: Error) => void)(new Error('withheld'));
      const payloads = { 'takeover/a': numbers(0, 20) };
      await publishAll(await world.connectDevice(), payloads);
      await until(() => bridge.log.some((line) => line.includes('not connected to the broker')));
      await until(() => intruder.disconnecting || !intruder.connected);
      await expectStored(world, payloads);
      return 'yes';
    },
  },
  restart: {
    capability: 'Sessions and backlog outlive a restart of the broker',
    observe: (world) => restarted(world, 'SIGTERM'),
  },
  brokerKilled: {
    // How much of that is a matter of what the broker had written by then.
    capability:
      'Sessions and backlog outlive SIGKILL of the broker; what was in flight may be stored twice',
    observe: (world) => restarted(world, 'SIGKILL'),
  },
} satisfies Record<string, Row>;

/**
 * To the broker a bridge is dead when its connection is gone for good. This one has a message then that is stored and
 * not acknowledged, and others that are not stored.
 */
async function killed(world: World): Promise<Outcome> {
  const { handler, broker } = world;
  const proxy = await startProxy(broker.port);
  onTestFinished(() => proxy.close());
  // One address for both: it is part of a message's source.
  const brokerUrl = `mqtt://127.0.0.1:${proxy.port}`;
  const options = { name: 'killed', filter: 'killed/#', brokerUrl };
  let stores = true;
  handler.fault = async ({ ingest }) => {
    if (stores) await ingest();
  };
  const bridge = await world.startBridge({ ...options, drainTimeoutMs: 0 });
  const device = await world.connectDevice();
  const first = { 'killed/stored': numbers(0, 1) };
  await publishAll(device, first);
  await untilStored(world, first);
  stores = false;
  await publishAll(device, { 'killed/unstored': numbers(0, 20) });
  await until(async () => (await inFlight(bridge)) === 21, { what: '21 in flight' });
  // From here on the broker hears nothing of it, neither PUBACK nor DISCONNECT.
  proxy.blackHole('up');
  await bridge.drain();
  proxy.cut();
  proxy.heal();
  handler.fault = undefined;
  await publishAll(device, {
    'killed/stored': numbers(1, 20),
    'killed/unstored': numbers(20, 40),
  });
  await world.startBridge(options);
  const all = { 'killed/stored': numbers(0, 20), 'killed/unstored': numbers(0, 40) };
  await untilStored(world, all);
  const { lost, storedTwice, isDisordered } = await deviations(world, all);
  expect(lost).toBe(0);
  // The one that its successor cannot know.
  expect(storedTwice).toBeLessThanOrEqual(1);
  if (isDisordered) return 'no: it comes behind what was published later';
  return storedTwice > 0 ? storedTwiceOutcome : 'yes';
}

/**
 * One bridge holds messages meanwhile, and another one is away. Both have the same sessions for either signal: RabbitMQ
 * may forget a subscription that it has granted a moment before SIGKILL, and says that the session is present.
 */
async function restarted(world: World, signal: 'SIGTERM' | 'SIGKILL'): Promise<Outcome> {
  const { broker } = world;
  const away = { name: 'restart-away', filter: 'restart/away/+' };
  await (await world.startBridge(away)).drain();
  const release = world.holdHandler();
  const bridge = await world.startBridge({ name: 'restart', filter: 'restart/live/+' });
  const live = `restart/live/${signal}`;
  const waiting = `restart/away/${signal}`;
  await publishAll(await world.connectDevice(), {
    [live]: numbers(0, 50),
    [waiting]: numbers(0, 50),
  });
  await until(async () => (await inFlight(bridge)) === 50, { what: '50 in flight' });
  await broker.end(signal);
  release();
  await broker.startAgain();
  await until(() => bridge.status().ready, { what: 'the bridge is back', timeoutMs: 40_000 });
  await world.startBridge(away);
  await publishAll(await world.connectDevice(), {
    [live]: numbers(50, 100),
    [waiting]: numbers(50, 100),
  });
  const all = { [live]: numbers(0, 100), [waiting]: numbers(0, 100) };
  // What is lost does not come; what is newer than it does.
  await untilStored(world, { [live]: ['99'], [waiting]: ['99'] });
  await untilStored(world, all, 6000).catch(() => {});
  const { lost, storedTwice, isDisordered } = await deviations(world, all);
  if (lost > 0) return 'no: what came since its last save is lost';
  expect(isDisordered).toBe(false);
  // Those in flight.
  expect(storedTwice).toBeLessThanOrEqual(50);
  console.log(`${world.kind.name}, ${signal}: ${storedTwice} of 50 in flight stored twice`);
  return storedTwice > 0 && signal === 'SIGTERM' ? storedTwiceOutcome : 'yes';
}
