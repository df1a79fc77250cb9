// What the tests of the console run against: the real `npm start` with a handler that can be broken, a way to it that can
// be cut, and Debian's Chromium.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { resolve } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFailed } from 'vitest';
import { temporaryFolder } from '../support/brokers.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';

/** Where Debian has it; without it the tests fail, as a console that nobody has looked at is not tested. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export interface Rig {
  /** Where browsers get in: it leads to the api, and can be cut. */
  readonly url: string;
  readonly token: string;
  readonly route: string;
  readonly device: MqttClient;
  readonly browser: Browser;
  readonly handler: Handler;
  readonly way: Way;
  /** Another device. */
  connect(clientId: string): Promise<MqttClient>;
  /** A call of the api, past the way that can be cut. */
  call(path: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

interface RigOptions {
  /** Folder with a causeway.config.mjs. Default the repository's. */
  readonly folder?: string;
}

export interface Handler {
  readonly port: number;
  /** Status of its answers, by the subject of the message. */
  answer: (subject: string) => number;
  close(): void;
}

async function startHandler(): Promise<Handler> {
  const server: Server = createHttpServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { subject = '' } = JSON.parse(body) as { subject?: string };
    const status = handler.answer(subject);
    response.writeHead(status).end(status === 204 ? undefined : 'upstream unavailable');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const handler: Handler = {
    port: (server.address() as AddressInfo).port,
    answer: () => 204,
    close: () => server.close(),
  };
  return handler;
}

/** A TCP connection between browser and api that can be cut. */
export interface Way {
  readonly port: number;
  cut(): void;
  mend(): void;
  close(): void;
}

async function startWay(to: number): Promise<Way> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    if (isCut) {
      socket.destroy();
      return;
    }
    const onward = connect(to, '127.0.0.1');
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        sockets.delete(end);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    close: () => server.close(),
  };
}

export function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath))
    throw new Error(`${executablePath} is not there: apt-get install chromium, or set CHROMIUM`);
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

export async function startRig({ folder }: RigOptions = {}): Promise<Rig> {
  const browser = await launchBrowser();
  const handler = await startHandler();
  const [port, mqttPort] = [await freePort(), await freePort()];
  const { child, output } = startCauseway({ port, mqttPort, hook: handler.port, folder });
  const token = await until(
    () => /^ {2}Token {6}(\S+)$/m.exec(output())?.[1] ?? (child.exitCode === null ? undefined : ''),
    { what: 'npm start' },
  );
  if (token === '') throw new Error(output());
  const way = await startWay(port);
  const connectDevice = (clientId: string) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { clientId });
  const device = await connectDevice('device-1');
  const api = `http://127.0.0.1:${port}`;
  return {
    url: `http://127.0.0.1:${way.port}`,
    token,
    route: `hook-127-0-0-1-${handler.port}`,
    device,
    browser,
    handler,
    way,
    connect: connectDevice,
    call: (path, body) =>
      fetch(`${api}${path}`, {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      }),
    async close() {
      await browser.close();
      await device.endAsync(true);
      way.close();
      handler.close();
      const exited = once(child, 'exit');
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      await exited;
    },
  };
}

function startCauseway({
  port,
  mqttPort,
  hook,
  folder,
}: {
  port: number;
  mqttPort: number;
  hook: number;
  folder: string | undefined;
}): {
  child: ChildProcess;
  output: () => string;
} {
  const options = ['--hook', `http://127.0.0.1:${hook}`, '--filter', 'orders/#'];
  // As `npm start`, in a folder with a config of its own.
  const program = ['--import', import.meta.resolve('tsx'), resolve('infra/cli/causeway.ts')];
  const [command, words] =
    folder === undefined
      ? ['npm', ['start', '--silent', '--']]
      : [process.execPath, [...program, 'start']];
  const child = spawn(command, [...words, ...options], {
    ...(folder !== undefined && { cwd: folder }),
    env: {
      ...process.env,
      DATA_DIR: temporaryFolder('console'),
      PORT: String(port),
      MQTT_PORT: String(mqttPort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += chunk));
  return { child, output: () => output };
}

/** A page that is signed in, and what a reader would see as broken: script errors, refused content, failed calls. */
export async function openPage(
  rig: Rig,
  path: string,
  { token = rig.token, width = 1280, height = 900 } = {},
): Promise<{ page: Page; faults: string[] }> {
  const context = await rig.browser.newContext({ viewport: { width, height } });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  onTestFailed(async () => {
    console.error(page.url(), faults, await page.locator('body').innerText());
  });
  await page.goto(`${rig.url}/#token=${token}`);
  await page.locator('h1').first().waitFor({ state: 'attached' });
  await page.evaluate(`location.hash = ${JSON.stringify(path)}`);
  return { page, faults };
}
