// The rig of the fault suite: broker, proxy, bridge, handler, database and publisher of one row, and its verdict.
//
//   publisher ─→ mosquitto ─→ proxy ─→ bridge (child process) ─→ fault layer ─→ ingest ─→ database
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import type { BridgeConfigInput } from '../../../bridge/config/config.ts';
import type { StorageForm } from '../../../functions/contract/storage-form.ts';
import { createFeedWriter } from '../../../functions/feed/feed-writer.ts';
import { createIngest } from '../../../functions/ingest/ingest.ts';
import { createStore, type Store } from '../../../functions/ingest/storing/message-store.ts';
import { localClient } from '../../../infra/local/database.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { type BridgeProcess, startBridgeProcess } from './bridge-process.ts';
import { type RestartableBroker, startRestartableBroker } from './broker.ts';
import { type BridgeKind, buildBridge } from './bundle.ts';
import { startThrottlingDatabase } from './database.ts';
import { type FaultyHandler, startFaultyHandler } from './handler.ts';
import { countDeadLetters, deadLettersInFolder, keptInFolder, keptInTable } from './kept.ts';
import type { MemoryStore } from './memory-store.ts';
import { judge, type Verdict } from './oracle.ts';
import { type NetworkProxy, startProxy } from './proxy.ts';
import { Publisher } from './publisher.ts';
import { createRandom, type Random, scaledMs, seed } from './random.ts';
import { recordingStored } from './stored-numbers.ts';

/** FAULTS_BRIDGE=wrong runs every row against the bridge that acknowledges on receipt. */
const defaultKind: BridgeKind = process.env['FAULTS_BRIDGE'] === 'wrong' ? 'wrong' : 'right';

const bundleFolder = temporaryFolder('faults-bundle');
const bundles = new Map<BridgeKind, Promise<string>>();

export interface RigOptions {
  /** Name of the row, in the line that it prints. */
  readonly row: string;
  readonly kind?: BridgeKind;
  /** More lines of mosquitto.conf. */
  readonly brokerSettings?: readonly string[];
  /** Parts of the bridge's config. */
  readonly broker?: Partial<BridgeConfigInput['broker']>;
  readonly route?: Partial<BridgeConfigInput['routes'][number]>;
  readonly config?: Partial<BridgeConfigInput>;
  /** How the route's messages are stored. Default as ingest has it. */
  readonly storage?: StorageForm;
  /** The dead letters is in the table unless it is to be a folder. */
  readonly deadLetters?: 'table' | 'folder';
  /** The test's own, where tests run side by side. */
  readonly onTestFinished?: TestContext['onTestFinished'];
  /** Instead of the table, where it would take too long to store all of it. */
  readonly memoryStore?: MemoryStore;
  /** Instances of ingest, by how far each one's clock is ahead, that note what they store for who watches. Default one, which does not. */
  readonly clocksMs?: readonly number[];
  /** What stands in front of the store. */
  readonly wrapStore?: (store: Store) => Store;
}

export interface Rig {
  readonly random: Random;
  readonly broker: RestartableBroker;
  readonly proxy: NetworkProxy;
  readonly handler: FaultyHandler;
  readonly publisher: Publisher;
  readonly database: Awaited<ReturnType<typeof startThrottlingDatabase>>;
  readonly table: TestTable;
  readonly tableName: string;
  /** Client id of the route's session. */
  readonly clientId: string;
  /** Numbers that ingest says it has stored: good for waiting, not for judging. */
  readonly storedNumbers: ReadonlySet<number>;
  /** Starts a bridge; it is stopped at the end of the test at the latest. */
  startBridge(config?: Partial<BridgeConfigInput>): BridgeProcess;
  /**
   * Waits until all that was acknowledged is kept, and gives up when nothing more has been stored for so long: how
   * long a backlog takes is a matter of the machine. Says whether it came to that.
   */
  settled(idleMs?: number): Promise<boolean>;
  /** Stops `bridges`, scans everything, prints the row's line, and judges. */
  verdict(
    bridges: readonly BridgeProcess[],
    options?: { brokersLoss?: ReadonlySet<number>; note?: string },
  ): Promise<Verdict>;
}

export async function startRig(options: RigOptions): Promise<Rig> {
  const kind = options.kind ?? defaultKind;
  const bundle = bundles.get(kind) ?? buildBridge(kind, bundleFolder);
  bundles.set(kind, bundle);
  const bundlePath = await bundle;

  const random = createRandom();
  const folder = temporaryFolder('faults');
  const broker = await startRestartableBroker(join(folder, 'broker'), options.brokerSettings ?? []);
  const table = await startTable();
  const database = await startThrottlingDatabase(table.endpoint, random);
  const ingestClient = localClient(database.endpoint);
  const storedNumbers = new Set<number>();
  const acknowledgedUnstored = new Set<number>();
  const proxy = await startProxy(broker.port, (number) => {
    if (!storedNumbers.has(number)) acknowledgedUnstored.add(number);
  });
  const ofTable = { client: ingestClient, tableName: table.tableName };
  const ingests = (options.clocksMs ?? [undefined]).map((clockMs) => {
    const tableNow = () => Date.now() + (clockMs ?? 0);
    const note = createFeedWriter({ ...ofTable, checkMs: 0, tableNow });
    const noting = clockMs === undefined ? {} : { note, tableNow };
    const store = recordingStored(
      options.memoryStore ??
        inForm(options.storage, createStore({ ...ofTable, retentionDays: 30, ...noting })),
      storedNumbers,
    );
    return createIngest({ store: options.wrapStore?.(store) ?? store });
  });
  const handler = await startFaultyHandler({
    // Any of them, as a platform chooses.
    request(...asked) {
      const ingest = ingests[ingests.length === 1 ? 0 : random.between(0, ingests.length - 1)];
      if (ingest === undefined) throw new Error('there is no ingest');
      return ingest.request(...asked);
    },
  });
  const publisher = new Publisher(broker.port, random);
  const bridges = new Set<BridgeProcess>();

  (options.onTestFinished ?? onTestFinished)(async () => {
    publisher.end();
    await Promise.all([...bridges].map((bridge) => bridge.kill()));
    await handler.close();
    await proxy.close();
    await broker.kill();
    ingestClient.destroy();
    await database.close();
    await table.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const quarantineFolder = join(folder, 'quarantine');

  async function isAllKept(): Promise<boolean> {
    const missing = [...publisher.acknowledged].filter((number) => !storedNumbers.has(number));
    if (missing.length === 0) return true;
    if (options.deadLetters === 'folder')
      return deadLettersInFolder(quarantineFolder).length >= missing.length;
    return (await countDeadLetters(table.client, table.tableName)) >= missing.length;
  }

  return {
    random,
    broker,
    proxy,
    handler,
    publisher,
    database,
    table,
    tableName: table.tableName,
    clientId: 'faults-store-0',
    storedNumbers,
    startBridge(config = {}) {
      const bridge = startBridgeProcess({
        bundle: bundlePath,
        folder,
        databaseEndpoint: database.endpoint,
        config: {
          broker: {
            url: `mqtt://127.0.0.1:${proxy.port}`,
            clientIdPrefix: 'faults',
            ...options.broker,
          },
          http: { port: 0 },
          routes: [
            {
              name: 'store',
              filter: '#',
              url: handler.url,
              allowPrivate: true,
              window: 500,
              ...options.route,
            },
          ],
          ...(options.deadLetters !== 'folder' && { quarantineTable: table.tableName }),
          ...options.config,
          ...config,
        },
      });
      bridges.add(bridge);
      return bridge;
    },
    async settled(idleMs = 20_000) {
      for (let stored = -1; stored < storedNumbers.size; ) {
        stored = storedNumbers.size;
        const isKept = await until(isAllKept, { timeoutMs: scaledMs(idleMs) }).catch(() => false);
        if (isKept) return true;
      }
      return false;
    },
    async verdict(running, { brokersLoss = new Set<number>(), note } = {}) {
      const codes = await Promise.all(running.map((bridge) => bridge.stop()));
      const { stored, quarantined } = await keptInTable(table.client, table.tableName);
      const verdict = judge({
        sent: publisher.sent,
        acknowledged: publisher.acknowledged,
        stored: [...stored, ...(options.memoryStore?.kept ?? [])],
        quarantined:
          options.deadLetters === 'folder' ? keptInFolder(quarantineFolder) : quarantined,
        acknowledgedUnstored,
        brokersLoss,
      });
      console.log(lineOf(options.row, kind, verdict, note));
      const unclean = codes.filter((code) => code !== 0);
      if (unclean.length === 0) return verdict;
      return {
        ...verdict,
        faults: [...verdict.faults, `a bridge ended with ${unclean.join(', ')}`],
      };
    },
  };
}

/** The same store, as a route of that form has it. */
function inForm(storage: StorageForm | undefined, store: Store): Store {
  return { ...store, put: (messages, given) => store.put(messages, { ...given, storage }) };
}

function lineOf(row: string, kind: BridgeKind, verdict: Verdict, note: string | undefined): string {
  const { published, stored, quarantined, duplicates, faults } = verdict;
  const counts = `published ${published}, stored ${stored}, quarantined ${quarantined}, duplicates ${duplicates}`;
  const rest = [...(kind === 'wrong' ? ['WRONG BRIDGE'] : []), ...(note ? [note] : []), ...faults];
  return [`${row}: ${counts}, seed ${seed}`, ...rest].join('; ');
}
