// A handler that is away for longer than AWS IoT Core waits for a PUBACK, with its hour scaled to seconds.
import { afterEach, expect, test } from 'vitest';
import { awsIot } from '../../../bridge/config/profiles/aws-iot.ts';
import { awsIotRig, certificate } from '../../support/aws-iot-rig.ts';
import { statusOf } from '../../support/route-control.ts';
import { until } from '../../support/wait.ts';

const limits = awsIot.limits as { unacknowledgedMs: number | undefined };
const { unacknowledgedMs: hour } = limits;
const scaledMs = 2400;

const rig = awsIotRig();
afterEach(() => {
  limits.unacknowledgedMs = hour;
});

/** Publishes, with a handler that takes nothing. */
function publish(from: number, to: number): void {
  for (let index = from; index < to; index++) rig.broker.publish(`up/${index % 7}`, String(index));
}

async function startHeld(profileMs: number | undefined) {
  limits.unacknowledgedMs = profileMs;
  rig.broker.unacknowledgedMs = scaledMs;
  const handler = { isAway: true };
  rig.handler.answer = (_, response) => {
    response.statusCode = handler.isAway ? 503 : 200;
    response.end();
  };
  const bridge = await rig.start(certificate, { route: { filter: 'up/#', retry: { capMs: 300 } } });
  return { bridge, handler };
}

const connects = () => rig.broker.connects.filter((id) => id === `${rig.prefix}-store-0`).length;
const stored = () => rig.handler.stored.map(({ data }) => Number(data)).sort((a, b) => a - b);

test('a client that stays loses what is unacknowledged: this is what the broker does', async () => {
  await startHeld(undefined);
  publish(0, 5);
  await until(() => rig.broker.dropped.length === 5);
});

test('the bridge leaves in time, keeps its session, and comes back: nothing is dropped, all is stored once', async () => {
  const { bridge, handler } = await startHeld(scaledMs);
  publish(0, 20);
  await until(async () => (await statusOf(bridge.url)).sessions[0]?.state === 'away');
  expect((await statusOf(bridge.url)).state).toBe('holding');
  publish(20, 40);
  // Before the session can end it is resumed, and then left again.
  await until(() => connects() === 2);
  await until(async () => (await statusOf(bridge.url)).sessions[0]?.state === 'away');
  publish(40, 60);
  handler.isAway = false;
  await until(() => stored().length >= 60);
  expect(stored()).toEqual(Array.from({ length: 60 }, (_, index) => index));
  await until(async () => (await statusOf(bridge.url)).state === 'active');
  expect([rig.broker.dropped, rig.broker.violations]).toEqual([[], []]);
});

test('killed while it is away, its successor gets all of it', async () => {
  const { bridge, handler } = await startHeld(scaledMs);
  publish(0, 10);
  await until(async () => (await statusOf(bridge.url)).sessions[0]?.state === 'away');
  await bridge.drain();
  handler.isAway = false;
  await rig.start(certificate);
  await until(() => stored().length >= 10);
  expect(stored()).toEqual(Array.from({ length: 10 }, (_, index) => index));
  expect([rig.broker.dropped, rig.broker.violations]).toEqual([[], []]);
});
