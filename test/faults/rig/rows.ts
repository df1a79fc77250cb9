// Rows that run twice: against the bridge, and against the wrong one to see that the rig catches it.
import { setTimeout as delay } from 'node:timers/promises';
import { defaultStorageForm, type StorageForm } from '../../../functions/contract/storage-form.ts';
import { until } from '../../support/wait.ts';
import type { BridgeKind } from './bundle.ts';
import type { Verdict } from './oracle.ts';
import { scaled } from './random.ts';
import { startRig } from './rig.ts';

/** Kills the bridge with SIGKILL under load, every 400 ms on average from when it gets messages. */
export async function killedUnderLoad(
  kind?: BridgeKind,
  storage: StorageForm = defaultStorageForm,
): Promise<Verdict> {
  const rig = await startRig({
    row: `kill -9 under load, ${storage}`,
    storage,
    ...(kind !== undefined && { kind }),
    // Small batches and one request at a time: at any instant something is in every stage.
    route: { maxBatch: 20, concurrency: 2 },
  });
  rig.handler.fault = async ({ pass }) => {
    await delay(rig.random.between(0, 30));
    await pass();
  };
  let bridge = rig.startBridge();
  await bridge.untilReady();
  let publishing = true;
  const published = rig.publisher.publish({ count: scaled(3000), perSecond: 500 }).finally(() => {
    publishing = false;
  });
  let kills = 0;
  while (publishing || kills < 3) {
    await delay(rig.random.between(100, 700));
    await bridge.kill();
    kills++;
    const before = rig.proxy.publishes;
    bridge = rig.startBridge();
    await until(() => rig.proxy.publishes > before || !publishing, {
      what: 'messages after a kill',
    });
  }
  await published;
  await rig.settled(kind === 'wrong' ? 5000 : 30_000);
  return rig.verdict([bridge], { note: `${kills} kills` });
}

/** The handler is down while the bridge is killed: what it holds in memory must be at the broker still. */
export async function killedWhileHandlerIsDown(kind?: BridgeKind): Promise<Verdict> {
  const rig = await startRig({
    row: 'handler down, then kill -9',
    ...(kind !== undefined && { kind }),
  });
  const bridge = rig.startBridge();
  await bridge.untilReady();
  await rig.publisher.publish({ count: scaled(200), perSecond: 1000 });
  await rig.settled();
  rig.handler.fault = ({ response }) => {
    response.writeHead(503).end();
  };
  await rig.publisher.publish({ count: scaled(1000), perSecond: 2000 });
  await until(() => rig.proxy.publishes >= scaled(200) + 200, { what: 'messages in the bridge' });
  await bridge.kill();
  rig.handler.fault = undefined;
  const successor = rig.startBridge();
  await successor.untilReady();
  await rig.settled(kind === 'wrong' ? 5000 : 30_000);
  return rig.verdict([successor]);
}
