// `npm run soak -- --minutes 15`: the real `npm start`, published to and read from for as long as is said, killed now
// and then; whether all that was acknowledged is stored, and what memory, files and disk do meanwhile, as a plot.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import mqtt from 'mqtt';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';
import { plotOf, type Sample, slopeOf } from './plot.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    rate: { type: 'string', default: '300' },
    kills: { type: 'string', default: '3' },
    out: { type: 'string', default: 'soak.svg' },
  },
});
const minutes = Number(values.minutes);
const perSecond = Number(values.rate);
const kills = Number(values.kills);
const topics = 100;
const sampleMs = 1000;

const folder = mkdtempSync(join(tmpdir(), 'causeway-soak-'));
const token = 'a-token-for-the-soak';
const [port, mqttPort] = [await freePort(), await freePort()];
const apiUrl = `http://127.0.0.1:${port}`;
const brokerUrl = `mqtt://127.0.0.1:${mqttPort}`;

async function start(): Promise<ChildProcess> {
  const child = spawn('node', ['--import', 'tsx', 'infra/cli/start.ts'], {
    env: {
      ...process.env,
      PORT: String(port),
      MQTT_PORT: String(mqttPort),
      DATA_DIR: folder,
      API_TOKEN: token,
      REQUESTS_PER_SECOND: '1000000',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await until(
    () =>
      fetch(`${apiUrl}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    {
      timeoutMs: 60_000,
      what: 'the stack is ready',
    },
  );
  return child;
}

/** The API's answer; undefined while it is away. */
async function read(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` };
  return fetch(`${apiUrl}${path}`, { headers }).then(
    async (response) => (response.ok ? response.json() : undefined),
    () => undefined,
  );
}

let child = await start();
const samples: Sample[] = [];
const acknowledged: number[][] = Array.from({ length: topics }, () => []);
const startedMs = performance.now();
const endMs = startedMs + minutes * 60_000;
const isOver = () => performance.now() > endMs;
let sent = 0;
let reads = 0;

/** Publishes each number until it is acknowledged, as a device would. */
async function publish(): Promise<void> {
  const device = await mqtt.connectAsync(brokerUrl, {
    protocolVersion: 4,
    clientId: 'soak',
    clean: false,
    reconnectPeriod: 200,
    // A broker that is starting may refuse, and MQTT.js would leave it at that.
    reconnectOnConnackError: true,
  });
  device.on('error', () => {});
  while (!isOver()) {
    const dueMs = startedMs + (sent / perSecond) * 1000;
    if (dueMs > performance.now()) await delay(dueMs - performance.now());
    const n = sent++;
    const payload = JSON.stringify({ n, text: 'x'.repeat(160) });
    void device
      .publishAsync(`soak/${n % topics}`, payload, { qos: 1 })
      .then(() => acknowledged[n % topics]?.push(n))
      .catch(() => {});
  }
  // What is under way when it is over is waited for, as far as it comes.
  await until(() => acknowledged.flat().length === sent, { what: 'all acknowledged' }).catch(
    () => {},
  );
  await device.endAsync(true);
}

async function keepReading(path: (index: number) => string): Promise<void> {
  while (!isOver()) {
    await read(path(reads++));
    await delay(20);
  }
}

function sample(): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null) return;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // One that is just ending has no memory any more.
    if (!status.includes('VmRSS')) return;
    samples.push({
      minute: (performance.now() - startedMs) / 60_000,
      residentMB: (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6,
      files: readdirSync(`/proc/${pid}/fd`).length,
      diskMB: bytesIn(folder) / 1e6,
    });
  } catch {
    // It has just been killed.
  }
}

function bytesIn(path: string): number {
  return readdirSync(path, { withFileTypes: true, recursive: true }).reduce((sum, entry) => {
    const stat = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return sum + (stat?.isFile() ? stat.size : 0);
  }, 0);
}

/** All in the first half: what memory does is looked at in the second. */
async function killNowAndThen(): Promise<void> {
  for (let kill = 1; kill <= kills; kill++) {
    await delay((kill / (kills + 1)) * (minutes / 2) * 60_000 - (performance.now() - startedMs));
    child.kill('SIGKILL');
    await once(child, 'exit');
    child = await start();
  }
}

interface Page {
  readonly messages: readonly { readonly payload: { readonly n: number } }[];
  readonly nextCursor?: string;
}

/** How often each number of a topic is stored. */
async function storedOf(topic: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  let cursor = '';
  do {
    // It may still be busy with what it was left with.
    const page = await until(
      () =>
        read(`/v1/messages?topic=soak/${topic}&limit=1000${cursor}`) as Promise<Page | undefined>,
      { timeoutMs: 60_000, what: `a page of soak/${topic}` },
    );
    for (const { payload } of page.messages)
      counts.set(payload.n, (counts.get(payload.n) ?? 0) + 1);
    cursor = page.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor !== '');
  return counts;
}

const bar = new cliProgress.SingleBar({
  stream: process.stderr,
  format:
    '{bar} {value} of {total} s, {sent} sent, {residentMB} MB, {files} files, {diskMB} MB on disk',
  noTTYOutput: true,
  notTTYSchedule: 10_000,
});
bar.start(minutes * 60, 0, { sent: 0, residentMB: 0, files: 0, diskMB: 0 });
const sampling = setInterval(() => {
  sample();
  const last = samples.at(-1);
  bar.update(Math.round((performance.now() - startedMs) / 1000), {
    sent,
    residentMB: last?.residentMB.toFixed(0),
    files: last?.files,
    diskMB: last?.diskMB.toFixed(0),
  });
}, sampleMs);
await Promise.all([
  publish(),
  killNowAndThen(),
  keepReading((index) => `/v1/messages?topic=soak/${index % topics}&limit=100`),
  keepReading(() => '/v1/messages/latest?filter=soak/%23'),
]);
clearInterval(sampling);
bar.stop();
writeFileSync(values.out, plotOf(samples));

/** What is acknowledged is kept by the broker, and stored as soon as the bridge has handed it on. */
async function storedWhole(topic: number, numbers: readonly number[]) {
  let counts = new Map<number, number>();
  const lacking = () => numbers.filter((n) => !counts.has(n));
  await until(
    async () => {
      counts = await storedOf(topic);
      return lacking().length === 0;
    },
    { timeoutMs: 30_000, what: 'all of a topic stored' },
  ).catch(() => {});
  return { counts, lacking: lacking() };
}

const lost: number[] = [];
let doubled = 0;
for (const [topic, numbers] of acknowledged.entries()) {
  const { counts, lacking } = await storedWhole(topic, numbers);
  lost.push(...lacking);
  doubled += [...counts.values()].filter((count) => count > 1).length;
}
child.kill('SIGINT');
await once(child, 'exit');
if (lost.length === 0) rmSync(folder, { recursive: true, force: true });
else console.log(`lost: ${lost.join(', ')}; what is stored is kept in ${folder}`);
const count = acknowledged.reduce((sum, numbers) => sum + numbers.length, 0);
console.log(
  `${count} acknowledged of ${sent} sent, ${reads} reads, ${kills} SIGKILLs in ${minutes} minutes`,
);
console.log(`lost ${lost.length}, stored twice ${doubled}`);
const { perHour, plusMinus } = slopeOf(samples);
console.log(
  `resident ${samples.at(-1)?.residentMB.toFixed(0)} MB, ${perHour.toFixed(0)} ± ${plusMinus.toFixed(0)} MB an hour over the second half`,
);
console.log(`the plot is in ${values.out}`);
if (lost.length > 0 || count < sent * 0.9) process.exitCode = 1;
