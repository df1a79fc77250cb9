// The broker's packets arrive spoiled: the connection ends, what was not acknowledged comes again, and nothing is lost
// or read from within another packet. One that always comes spoiled is kept as its bytes.
import { describe, expect, test } from 'vitest';
import { int16, packet, properties, publish, text } from '../bridge/packets/wire.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import type { BridgeProcess } from './rig/bridge-process.ts';
import { rowTimeoutMs, scaled } from './rig/random.ts';
import { type Rig, startRig } from './rig/rig.ts';

const name = `packets that cannot be parsed ${hasMosquitto ? '' : needsMosquitto}`.trim();

type Spoil = (bytes: Buffer) => Buffer;

/** A PUBLISH of this packet id and topic with these bytes behind it. */
const spoiled = (id: number, ...rest: Buffer[]) =>
  packet(0x32, text('spoiled'), int16(id), ...rest);

const kinds: readonly (readonly [what: string, spoil: Spoil])[] = [
  ['a PINGRESP with a reserved bit', (bytes) => Buffer.concat([Buffer.from([0xd2, 0]), bytes])],
  [
    'an unknown property, and a PUBLISH in the payload',
    (bytes) => spoiled(bytes.length % 100, properties([99, int16(1)]), bytes),
  ],
  ['a topic beyond its packet', (bytes) => packet(0x32, int16(60_000), bytes)],
  [
    'a length of five bytes',
    (bytes) => Buffer.concat([Buffer.from([0x32, 255, 255, 255, 255, 1]), bytes]),
  ],
];

const lostConnections = ({ log }: BridgeProcess) =>
  log.filter((line) => line.includes('not connected to the broker'));

async function underLoad(rig: Rig, until: () => boolean): Promise<void> {
  const enough = new AbortController();
  const published = rig.publisher.publish({ perSecond: 400, signal: enough.signal });
  while (!until()) await new Promise((resolve) => setTimeout(resolve, 20));
  enough.abort();
  await published;
  await rig.settled();
}

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test.each(kinds)('%s', async (what, spoil) => {
    const rig = await startRig({
      row: `spoiled: ${what}`,
      route: { maxBatch: 20, concurrency: 2 },
    });
    let left = scaled(3);
    // What comes after the first of a connection is not read.
    let connection = 0;
    rig.proxy.spoil = (given, bytes) => {
      const mayBe = given.cmd === 'publish' && left > 0 && connection < rig.proxy.connects;
      if (!mayBe || !rig.random.chance(0.02)) return bytes;
      left--;
      connection = rig.proxy.connects;
      return spoil(bytes);
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await underLoad(rig, () => left === 0);
    await until(() => rig.proxy.connects > connection, { what: 'another connection' });
    await bridge.untilReady();
    await rig.settled();
    const { faults } = await rig.verdict([bridge]);
    expect(faults).toEqual([]);
    expect(lostConnections(bridge)).toHaveLength(scaled(3));
  });

  test('one that always comes spoiled', async () => {
    const rig = await startRig({ row: 'spoiled: always the same', route: { maxBatch: 20 } });
    const poison = spoiled(60_001, properties([99, int16(1)]), publish(1, 'door/cmd', 'unlock'));
    let stands = 'out of the way';
    rig.proxy.spoil = (given, bytes) => {
      if (given.cmd !== 'publish' || stands !== 'in the way') return bytes;
      stands = 'on its way';
      return Buffer.concat([poison, bytes]);
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    for (let connection = 1; connection <= 3; connection++) {
      stands = 'in the way';
      await underLoad(rig, () => stands === 'on its way');
      const losses = Math.min(connection, 2);
      await until(() => lostConnections(bridge).length === losses, { what: `${losses} losses` });
      await bridge.untilReady();
    }
    await underLoad(rig, () => true);
    const { faults, quarantined } = await rig.verdict([bridge]);
    expect(faults).toEqual(['1 kept, and never published: spoiled ?']);
    expect([quarantined, lostConnections(bridge).length]).toEqual([1, 2]);
  });
});
