// Peers of our own as subjects: programs written for this comparison alone (peers/), built where their compiler is there.
import { spawn, spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { topicFilter } from './payload.ts';
import { endProcess, tied } from './programs.ts';
import type { Subject } from './subject.ts';

interface Peer {
  readonly name: string;
  readonly compiler: string;
  /** Where it mostly is, where PATH has not got it. */
  readonly folder: string;
  readonly build: (output: string) => readonly string[];
}

const peers: readonly Peer[] = [
  {
    name: 'Go, standard library',
    compiler: 'go',
    folder: '/usr/local/go/bin',
    build: (output) => ['build', '-o', output, 'test/bench/peers/relay.go'],
  },
  {
    name: 'Rust, standard library',
    compiler: 'rustc',
    folder: join(homedir(), '.cargo/bin'),
    build: (output) => ['-O', '--edition', '2021', '-o', output, 'test/bench/peers/relay.rs'],
  },
];

export type BuiltPeer =
  | { readonly ok: true; readonly subject: Subject }
  | { readonly ok: false; readonly name: string; readonly reason: string };

/** Builds the peers into the folder. */
export function buildPeers(folder: string, drainMessages: number): BuiltPeer[] {
  return peers.map(({ name, compiler, folder: usual, build }) => {
    const file = join(folder, `relay-${compiler}`);
    const env = { ...process.env, PATH: `${process.env['PATH']}${delimiter}${usual}` };
    const { status, error } = spawnSync(compiler, build(file), {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (error !== undefined) return { ok: false, name, reason: `there is no ${compiler}` };
    if (status !== 0) return { ok: false, name, reason: `${compiler} could not build it` };
    return { ok: true, subject: relay(name, file, drainMessages) };
  });
}

function relay(name: string, file: string, drainMessages: number): Subject {
  const clientId = 'relay';
  return {
    name,
    clientId,
    acknowledges: 'when stored',
    drainMessages,
    handlerLatenciesMs: [0, 20],
    start({ brokerUrl, handlerUrl }) {
      const args = [new URL(brokerUrl).host, clientId, topicFilter, handlerUrl];
      const child = tied(spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
      return { process: child, stop: () => endProcess(child) };
    },
  };
}
