// Peers of our own as subjects: programs written for this comparison alone (peers/), built where their tools are there.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { topicFilter } from './payload.ts';
import { endProcess, environmentWith, goFolder, tied } from './programs.ts';
import type { Subject } from './subject.ts';

/** Program and arguments. */
type Command = readonly [string, ...string[]];

interface Peer {
  readonly name: string;
  readonly note?: string;
  /** The usual folder of its tools, looked in after PATH. */
  readonly folder?: string;
  /** What builds it, into a file or a folder of its own. */
  readonly build: (output: string) => readonly Command[];
  readonly start: (output: string) => Command;
}

const pom = 'test/bench/peers/pom.xml';

const peers: readonly Peer[] = [
  {
    name: 'Go, standard library',
    folder: goFolder,
    build: (output) => [['go', 'build', '-o', output, 'test/bench/peers/relay.go']],
    start: (output) => [output],
  },
  {
    name: 'Rust, standard library',
    folder: join(homedir(), '.cargo/bin'),
    build: (output) => [
      ['rustc', '-O', '--edition', '2021', '-o', output, 'test/bench/peers/relay.rs'],
    ],
    start: (output) => [output],
  },
  {
    name: 'Java, HiveMQ MQTT client',
    note: `HiveMQ MQTT client is ${hiveMqVersion()}, and writes nearly every PUBACK by itself; its relay has a window of 16,000, and Java its default heap. A drain is short for a JVM, and has its warming up in it.`,
    build: (output) => [
      ['mvn', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${output}`],
      ['javac', '-d', output, '-cp', join(output, '*'), 'test/bench/peers/Relay.java'],
    ],
    start: (output) => ['java', '-cp', `${output}:${join(output, '*')}`, 'Relay'],
  },
];

function hiveMqVersion(): string | undefined {
  return /hivemq-mqtt-client<.*?<version>(.*?)</s.exec(readFileSync(pom, 'utf8'))?.[1];
}

export type BuiltPeer =
  | { readonly ok: true; readonly subject: Subject }
  | { readonly ok: false; readonly name: string; readonly reason: string };

/** Builds the peers into the folder. */
export function buildPeers(folder: string, drainMessages: number): BuiltPeer[] {
  return peers.map((peer, index) => {
    const output = join(folder, `relay-${index}`);
    for (const [program, ...args] of peer.build(output)) {
      const { status, error } = spawnSync(program, args, {
        env: environmentWith(peer.folder),
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const { name } = peer;
      if (error !== undefined) return { ok: false, name, reason: `there is no ${program}` };
      if (status !== 0) return { ok: false, name, reason: `${program} could not build it` };
    }
    return { ok: true, subject: relay(peer, output, drainMessages) };
  });
}

function relay(
  { name, note, folder, start }: Peer,
  output: string,
  drainMessages: number,
): Subject {
  const clientId = 'relay';
  return {
    name,
    ...(note !== undefined && { note }),
    clientId,
    acknowledges: 'when stored',
    drainMessages,
    handlerLatenciesMs: [0, 20],
    start({ brokerUrl, handlerUrl }) {
      const [program, ...own] = start(output);
      const args = [...own, new URL(brokerUrl).host, clientId, topicFilter, handlerUrl];
      const child = tied(
        spawn(program, args, {
          env: environmentWith(folder),
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      );
      return { process: child, stop: () => endProcess(child) };
    },
  };
}
