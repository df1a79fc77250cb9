// Many messages: how many are in flight, what becomes of them while the handler fails, and how they are shared.
import { expect } from 'vitest';
import { until } from '../../support/wait.ts';
import type { InteropBridge } from '../bridge.ts';
import type { World } from '../world.ts';
import { deviations, expectStored, none, numbers, publishAll, untilStored } from './messages.ts';
import type { Outcome, Row } from './row.ts';

export const flow = {
  window: {
    capability: 'The window (1,000) fills and is kept to; what is beyond waits at the broker',
    observe: filledWindow,
  },
  load: {
    capability: '10,000 messages, the handler failing for 10 s in between: once, in order',
    observe: loaded,
  },
  shared: {
    capability: 'Two connections share a route (`connections: 2`)',
    observe: shared,
  },
} satisfies Record<string, Row>;

/** Messages that the bridge has and has not settled. */
export async function inFlight(bridge: InteropBridge): Promise<number> {
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  return Number(/^causeway_in_flight_messages\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
}

async function filledWindow(world: World): Promise<Outcome> {
  const window = 1000;
  const release = world.holdHandler();
  const bridge = await world.startBridge({ name: 'window', filter: 'window/#', route: { window } });
  const payloads = { 'window/a': numbers(0, 1500) };
  await publishAll(await world.connectDevice(), payloads);
  await until(async () => (await inFlight(bridge)) >= window, { what: 'a full window' });
  expect(await inFlight(bridge)).toBe(window);
  expect(bridge.status().problems).toEqual([]);
  release();
  await expectStored(world, payloads);
  return 'yes';
}

const failingMs = 10_000;

async function loaded(world: World): Promise<Outcome> {
  const { handler } = world;
  const topics = Array.from({ length: 10 }, (_, index) => `load/${index}`);
  await world.startBridge({ name: 'load', filter: 'load/#' });
  const device = await world.connectDevice();
  const part = (from: number, to: number) =>
    Object.fromEntries(topics.map((topic) => [topic, numbers(from, to)]));
  await publishAll(device, part(0, 300));
  const untilMs = Date.now() + failingMs;
  handler.fault = async ({ response, pass }) => {
    if (Date.now() > untilMs) await pass();
    else response.writeHead(503, { 'retry-after': '1' }).end();
  };
  await publishAll(device, part(300, 1000));
  const all = part(0, 1000);
  await untilStored(world, all);
  handler.fault = undefined;
  expect(await deviations(world, all)).toEqual(none);
  return 'yes';
}

/** A bridge beside it that does not share says when everything has arrived. */
async function shared(world: World): Promise<Outcome> {
  const sharing = await world.startBridge({
    name: 'sharing',
    filter: 'shared/#',
    route: { connections: 2 },
    // What the broker does with it, not what its profile says of it.
    broker: { profile: undefined },
    untilReady: false,
  });
  const isRefused = () =>
    sharing.status().problems.some((problem) => problem.includes('subscription refused'));
  const sessions = () => sharing.log.filter((line) => line.includes('session started')).length;
  await until(() => isRefused() || (sessions() === 2 && sharing.status().ready), {
    what: 'both sessions subscribe, or are refused',
  });
  if (isRefused())
    return 'no: the subscription is refused, and the bridge is not ready and says so';
  await world.startBridge({ name: 'alone', filter: 'shared/#' });
  const topics = Array.from({ length: 20 }, (_, index) => `shared/${index}`);
  const payloads = Object.fromEntries(topics.map((topic) => [topic, numbers(0, 10)]));
  await publishAll(await world.connectDevice(), payloads);
  const sources = new Map<string, number>();
  const count = async () => {
    sources.clear();
    for (const topic of topics)
      for (const { source } of await world.messages(topic)) {
        const session = source.split('/').at(-1) ?? '';
        sources.set(session, (sources.get(session) ?? 0) + 1);
      }
    return sources;
  };
  await until(async () => (await count()).get('alone-store-0') === 200);
  if (![...sources.keys()].some((session) => session.startsWith('sharing')))
    return (await isRefusedByProfile(world))
      ? 'no: `broker.profile` refuses it; without that it is granted, and no message ever comes'
      : 'no: the subscription is granted, and no message ever comes';
  const both = () => (sources.get('sharing-store-0') ?? 0) + (sources.get('sharing-store-1') ?? 0);
  await until(async () => {
    await count();
    return both() >= 200;
  });
  expect(both()).toBe(200);
  expect([...sources.keys()].sort()).toEqual([
    'alone-store-0',
    'sharing-store-0',
    'sharing-store-1',
  ]);
  return 'yes';
}

/** Whether a bridge that is told which broker it is does not even start. */
async function isRefusedByProfile(world: World): Promise<boolean> {
  if (world.kind.profile === undefined) return false;
  const starting = world.startBridge({
    name: 'refused',
    filter: 'shared/#',
    route: { connections: 2 },
  });
  return starting.then(
    () => false,
    (error: Error) => error.message.includes('routes.0.connections'),
  );
}
