// Commands while the bridge dies, the network breaks and the database throttles: each recorded one is sent at least
// once, in the order of its topic, and never said to be sent before the broker has it.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { startCommandRig } from './rig/commands.ts';
import { rowTimeoutMs, scaled, scaledMs } from './rig/random.ts';

const name = `commands ${hasMosquitto ? '' : needsMosquitto}`.trim();

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test('the bridge is killed at random instants', async () => {
    const rig = await startCommandRig({ row: 'commands, kill -9' });
    // A slow network: something is always between publish, PUBACK and status write.
    rig.proxy.delayMs = 10;
    let bridge = rig.startBridge(rig.config);
    const recording = rig.recordCommands(scaled(3000));
    const kills = scaled(10);
    const falselySent: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const before = rig.received.size;
      await until(() => rig.received.size > before || rig.received.size === scaled(3000), {
        what: 'commands after a kill',
      });
      await delay(rig.random.between(0, 200));
      await bridge.kill();
      falselySent.push(...(await rig.falselySent()));
      bridge = rig.startBridge(rig.config);
    }
    await recording;
    expect(await rig.commandVerdict(`${kills} kills`)).toEqual([]);
    expect(falselySent).toEqual([]);
    expect(await bridge.stop()).toBe(0);
  });

  test('the bridge is stopped at random instants: what it has sent is not sent again', async () => {
    const rig = await startCommandRig({ row: 'commands, SIGTERM' });
    let bridge = rig.startBridge(rig.config);
    const recording = rig.recordCommands(scaled(2000));
    for (let stop = 0; stop < scaled(5); stop++) {
      await bridge.untilReady();
      await delay(rig.random.between(0, 300));
      expect(await bridge.stop(), bridge.log.slice(-20).join('\n')).toBe(0);
      bridge = rig.startBridge(rig.config);
    }
    await recording;
    expect(await rig.commandVerdict(`${scaled(5)} stops`)).toEqual([]);
    expect(Math.max(...rig.received.values())).toBe(1);
  });

  test('the network breaks, and PUBACKs are lost', async () => {
    const rig = await startCommandRig({ row: 'commands, cuts and lost PUBACKs' });
    const bridge = rig.startBridge(rig.config);
    await bridge.untilReady();
    const recording = rig.recordCommands(scaled(3000));
    for (let cut = 0; cut < scaled(6); cut++) {
      const before = rig.received.size;
      await until(() => rig.received.size > before || rig.received.size === scaled(3000));
      if (cut % 2 === 0) rig.proxy.cut();
      else rig.proxy.cutAtPuback(rig.random.between(0, 50));
      await delay(rig.random.between(100, 400));
    }
    await recording;
    expect(await rig.commandVerdict(`${rig.proxy.connects} connects`)).toEqual([]);
  });

  test('the database throttles', async () => {
    const rig = await startCommandRig({ row: 'commands, throttled database' });
    rig.database.refusedShare = 0.3;
    rig.database.unprocessedShare = 0.3;
    const bridge = rig.startBridge(rig.config);
    await bridge.untilReady();
    await rig.recordCommands(scaled(500));
    await until(() => rig.received.size > scaled(100), { timeoutMs: scaledMs(30_000) });
    // And is away for a while.
    rig.database.refusedShare = 1;
    await delay(2000);
    rig.database.refusedShare = 0;
    rig.database.unprocessedShare = 0;
    expect(await rig.commandVerdict(`${rig.database.counts.refused} calls refused`)).toEqual([]);
  });

  test('two bridges with one config: the standby goes on', async () => {
    const rig = await startCommandRig({ row: 'commands, two bridges' });
    const config = { ...rig.config, leaseTable: rig.tableName, leaseSeconds: 2 };
    let holder = rig.startBridge(config);
    await until(() => holder.log.some((line) => line.includes('lease acquired')));
    let standby = rig.startBridge(config);
    const recording = rig.recordCommands(scaled(1500));
    for (let swap = 0; swap < scaled(4); swap++) {
      await until(() => standby.log.some((line) => line.includes('standing by')));
      await delay(rig.random.between(0, 500));
      if (swap % 2 === 0) await holder.kill();
      else expect(await holder.stop()).toBe(0);
      [holder, standby] = [standby, rig.startBridge(config)];
    }
    await recording;
    expect(await rig.commandVerdict(`${scaled(4)} swaps`)).toEqual([]);
  });
});
