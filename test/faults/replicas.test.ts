// Several clients for one session: two bridges that hand it over by their lease, and a stranger who takes it.
import mqtt from 'mqtt';
import { describe, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import type { BridgeProcess } from './rig/bridge-process.ts';
import { rowTimeoutMs, scaled } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `one client id ${hasMosquitto ? '' : needsMosquitto}`.trim();

const hasSession = (bridge: BridgeProcess) =>
  bridge.log.some((line) => /session (resumed|started)/.test(line));

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test.concurrent('two bridges swap it 20 times, and never hold it both', async ({
    expect,
    onTestFinished,
  }) => {
    const rig = await startRig({ row: 'two bridges swapped', onTestFinished });
    const leases = { leaseTable: rig.tableName, leaseSeconds: 2 };
    let holder = rig.startBridge(leases);
    await until(() => hasSession(holder));
    // It is connected, and a moment later subscribed: what is published in between belongs to nobody.
    await holder.untilReady();
    let standby = rig.startBridge(leases);
    const enough = new AbortController();
    const published = rig.publisher.publish({ perSecond: 200, signal: enough.signal });
    const slowest = { stopped: 0, killed: 0 };
    const swaps = scaled(20);
    for (let swap = 0; swap < swaps; swap++) {
      await until(() => standby.log.some((line) => line.includes('standing by')));
      const how = rig.random.chance(0.2) ? 'killed' : 'stopped';
      if (how === 'killed') await holder.kill();
      else expect(await holder.stop()).toBe(0);
      const sinceMs = Date.now();
      await until(() => hasSession(standby), { what: 'the standby takes over' });
      slowest[how] = Math.max(slowest[how], Date.now() - sinceMs);
      holder = standby;
      standby = rig.startBridge(leases);
    }
    enough.abort();
    await published;
    await rig.settled();
    const note = `${swaps} swaps, slowest after SIGTERM ${slowest.stopped} ms, after kill -9 ${slowest.killed} ms`;
    expect((await rig.verdict([holder, standby], { note })).faults).toEqual([]);
    expect(rig.proxy.heldTwice).toEqual([]);
  });

  test.concurrent.for([
    { says: true, what: 'is told so: it says it, and keeps away for a while' },
    // MQTT 3.1.1 has no way to say it, and mosquitto 2.0.11 does not on MQTT 5.
    { says: false, what: 'is not told' },
  ])('a stranger takes it twice, and the bridge $what', async ({ says }, context) => {
    const { expect, onTestFinished } = context;
    const rig = await startRig({
      row: says ? 'takeover, said' : 'takeover, unsaid',
      onTestFinished,
    });
    rig.proxy.saysTakenOver = says;
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const published = rig.publisher.publish({ count: scaled(2000), perSecond: 500 });
    for (let round = 0; round < 2; round++) {
      const closes = () => bridge.log.filter((line) => line.includes('not connected')).length;
      const before = closes();
      const thief = await mqtt.connectAsync(`mqtt://127.0.0.1:${rig.broker.port}`, {
        clientId: rig.clientId,
        clean: false,
        protocolVersion: 5,
        reconnectPeriod: 0,
        properties: { sessionExpiryInterval: 86_400, receiveMaximum: 10 },
      });
      // It takes messages, and acknowledges none.
      thief.handleMessage = () => {};
      await until(() => closes() > before, { what: 'the session changes hands' });
      await thief.endAsync(true);
      if (round === 0) await bridge.untilReady(30_000);
    }
    if (says) await until(async () => (await bridge.problems())?.join().includes('another client'));
    const sinceMs = Date.now();
    await bridge.untilReady(60_000);
    const note = `back after ${Math.round((Date.now() - sinceMs) / 1000)} s`;
    await published;
    await rig.settled();
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
  });
});
