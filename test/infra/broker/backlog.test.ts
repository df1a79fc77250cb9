// The queue of the kernel for connections that are not accepted yet.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';
import { startChild } from './child.ts';

/** The kernel's own bound on the queue (Linux); 0 elsewhere. */
function systemBacklog(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return 0;
  }
}

test.skipIf(systemBacklog() < 2000)(
  '1,500 connections wait for a broker that is busy, and are then served (default backlog 2000)',
  async () => {
    const port = await freePort();
    const broker = await startChild({
      BROKER_PORT: String(port),
      BROKER_FOLDER: temporaryFolder('backlog'),
    });
    const sockets: Socket[] = [];
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      broker.process.kill('SIGCONT');
      await broker.stop('SIGKILL');
    });
    // Busy for as long as we like: it accepts nothing. Node's own backlog is 511.
    broker.process.kill('SIGSTOP');
    let connected = 0;
    const answers = Array.from({ length: 1500 }, async (_, index) => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      await once(socket, 'connect');
      connected++;
      const packet = { cmd: 'connect', clientId: `c${index}`, clean: true, keepalive: 0 } as const;
      socket.write(generate(packet));
      const [connack] = await once(socket, 'data');
      return connack.toString('hex');
    });
    await until(() => connected === 1500);
    broker.process.kill('SIGCONT');
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['20020000']));
  },
);
