// Node-RED as a subject: mqtt in → http request, alone and with a join of 100 between them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeRed } from './node-red-install.ts';
import { topicFilter } from './payload.ts';
import { endProcess, tied } from './programs.ts';
import type { Subject, Target } from './subject.ts';

/** No editor, no HTTP server of its own, no telemetry, no look for updates. */
const settings = {
  flowFile: 'flows.json',
  uiHost: '127.0.0.1',
  httpAdminRoot: false,
  httpNodeRoot: false,
  telemetry: { enabled: false, updateNotification: false },
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
  credentialSecret: false,
  logging: { console: { level: 'warn', metrics: false, audit: false } },
};

export interface NodeRedFlow {
  /** Messages that a join node makes into one request; absent without such a node. */
  readonly joinCount?: number;
  readonly tuned: boolean;
}

const clientId = 'node-red';

/**
 * As a user draws it, apart from the kept session. Tuned: the payload is not parsed as JSON, and connections to
 * the handler are kept alive, neither of which is the default.
 */
function flow({ brokerUrl, handlerUrl }: Target, { joinCount, tuned }: NodeRedFlow) {
  // Without a place on the flow, Node-RED takes a node for a configuration.
  const onFlow = { z: 'flow', x: 100, y: 100 };
  const post = {
    id: 'request-node',
    type: 'http request',
    ...onFlow,
    method: 'POST',
    ret: 'txt',
    paytoqs: 'ignore',
    url: handlerUrl,
    persist: tuned,
    senderr: false,
    headers: [],
    wires: [[]],
  };
  const batch = {
    id: 'join-node',
    type: 'join',
    ...onFlow,
    mode: 'custom',
    build: 'array',
    property: 'payload',
    propertyType: 'msg',
    accumulate: false,
    timeout: '1',
    count: String(joinCount),
    wires: [['request-node']],
  };
  return [
    { id: 'flow', type: 'tab', label: 'bench' },
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: new URL(brokerUrl).hostname,
      port: new URL(brokerUrl).port,
      clientid: clientId,
      autoConnect: true,
      usetls: false,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: false,
    },
    {
      id: 'subscription-node',
      type: 'mqtt in',
      ...onFlow,
      topic: topicFilter,
      qos: '1',
      datatype: tuned ? 'utf8' : 'auto-detect',
      broker: 'broker',
      inputs: 0,
      wires: [[joinCount === undefined ? 'request-node' : 'join-node']],
    },
    ...(joinCount === undefined ? [post] : [batch, post]),
  ];
}

export function nodeRed(
  { nodeFile, redFile, version }: NodeRed,
  drainMessages: number,
  kind: NodeRedFlow,
): Subject {
  const { joinCount, tuned } = kind;
  return {
    name: `Node-RED${joinCount === undefined ? '' : `, join of ${joinCount}`}${tuned ? ', tuned' : ''}`,
    note: `Node-RED is ${version}; it takes the whole backlog into its memory, and bounds neither requests nor messages. Tuned: payloads not parsed and connections kept alive, which is not its default.`,
    clientId,
    acknowledges: 'on receipt',
    drainMessages,
    handlerLatenciesMs: [0, 20],
    start(target) {
      const folder = mkdtempSync(join(tmpdir(), 'causeway-bench-node-red-user-'));
      const settingsFile = join(folder, 'settings.cjs');
      writeFileSync(settingsFile, `module.exports = ${JSON.stringify(settings)};\n`);
      writeFileSync(join(folder, 'flows.json'), JSON.stringify(flow(target, kind)));
      const child = tied(
        spawn(nodeFile, [redFile, '--userDir', folder, '--settings', settingsFile], {
          cwd: folder,
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      );
      return {
        process: child,
        async stop() {
          // At SIGTERM it unsubscribes, and the broker keeps no backlog for it.
          await endProcess(child, 'SIGKILL');
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
}
