// `npm run bench`: measures the bridge beside its ceiling and its peers, and writes table, plot and raw figures.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { buildBridge, causeway, causewayAtOnce, oneMessageARequest } from './causeway.ts';
import { ceiling } from './ceiling.ts';
import { nodeRed } from './node-red.ts';
import { installNodeRed } from './node-red-install.ts';
import { topicCount } from './payload.ts';
import { buildPeers } from './peers.ts';
import { markdownOf, readEnvironment, writeResults } from './report.ts';
import { type Plan, runRounds } from './rounds.ts';
import type { Subject } from './subject.ts';
import { relays } from './summary.ts';
import { telegraf } from './telegraf.ts';
import { installTelegraf } from './telegraf-install.ts';

const { values: options } = parseArgs({
  options: {
    /** One short run of the bridge alone; writes no results. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '300000' },
    'long-messages': { type: 'string', default: '1000000' },
    'latency-seconds': { type: 'string', default: '10' },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
if (!hasMosquitto) {
  console.error(`The benchmark ${needsMosquitto}`);
  process.exit(1);
}

const startMs = Date.now();
const progress = (line: string) =>
  console.log(`${((Date.now() - startMs) / 1000).toFixed(0).padStart(5)} s  ${line}`);
const folder = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
try {
  const bridgeFile = await buildBridge(folder);
  const messages = Number(options.messages);
  const missing: { subject: string; reason: string }[] = [];

  function ownPeers(): Subject[] {
    progress('building the peers of our own');
    return buildPeers(folder, messages).flatMap((peer) => {
      if (peer.ok) return [peer.subject];
      missing.push({ subject: peer.name, reason: peer.reason });
      return [];
    });
  }

  function telegrafs(): Subject[] {
    progress('looking for Telegraf, which takes minutes to build the first time');
    const install = installTelegraf();
    if (install.ok)
      return [500, 2000].map((batchSize) =>
        telegraf(install.telegraf, Math.ceil(messages / 3), batchSize),
      );
    missing.push({ subject: 'Telegraf', reason: install.reason });
    return [];
  }

  function nodeReds(): Subject[] {
    progress('installing Node-RED, if it is not in the cache folder yet');
    const install = installNodeRed();
    if (install.ok)
      return [false, true].flatMap((tuned) => [
        nodeRed(install.nodeRed, Math.ceil(messages / 50), { tuned }),
        // Whole hundreds, or the last join would wait for its timeout.
        nodeRed(install.nodeRed, Math.ceil(messages / 300) * 100, { tuned, joinCount: 100 }),
      ]);
    missing.push({ subject: 'Node-RED', reason: install.reason });
    return [];
  }

  const single = (count: number) => [
    oneMessageARequest(bridgeFile, 'raw', count),
    oneMessageARequest(bridgeFile, 'cloudevents', count),
  ];
  const ours = causeway(bridgeFile, 4000, options.quick ? 150_000 : messages);
  const peers = options.quick ? [] : ownPeers();
  const light = { subject: causewayAtOnce(bridgeFile), messagesPerSecond: 200 };
  const plan: Plan = options.quick
    ? {
        rounds: 1,
        subjects: [ours, causeway(bridgeFile, 2000, 150_000), ...single(20_000)],
        latencySeconds: 3,
        latencyTopics: [topicCount],
        light,
        insistOnQuiet: false,
        lossMessages: 0,
        long: { subjects: [ours], messages: 300_000 },
      }
    : {
        rounds: Number(options.rounds),
        subjects: [
          ours,
          causeway(bridgeFile, 2000, messages),
          ...single(Math.ceil(messages / 10)),
          ceiling('bulk', 4000, messages),
          ceiling('library', 4000, messages),
          ...peers,
          ...telegrafs(),
          ...nodeReds(),
        ],
        insistOnQuiet: true,
        latencySeconds: Number(options['latency-seconds']),
        latencyTopics: [topicCount, 10 * topicCount],
        light,
        lossMessages: 20_000,
        long: {
          subjects: [ours, ...peers.filter(({ name }) => relays.includes(name))],
          messages: Number(options['long-messages']),
        },
      };
  const environment = readEnvironment();
  const takenAt = new Date(startMs).toISOString();
  for await (const measurements of runRounds(plan, progress)) {
    const results = { environment, takenAt, plan, measurements, missing };
    console.log(`\n${markdownOf(results)}`);
    if (!options.quick) console.log(writeResults(results).join('\n'));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
