// The embedded MQTT broker: aedes on loopback, with sessions and retained messages kept in a folder.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';
import createPersistence from 'aedes-persistence-level';
import { Level } from 'level';
import { keepOrder } from './in-order.ts';
import { markRedelivered } from './redelivered.ts';

export interface EmbeddedBroker {
  readonly port: number;
  close(): Promise<void>;
}

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Folder for sessions, queued and retained messages. */
  readonly folder: string;
}

/** Starts the broker. Rejects where the port is taken (EADDRINUSE) or the folder in use (LEVEL_LOCKED). */
export async function startBroker({
  host,
  port,
  folder,
}: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  mkdirSync(folder, { recursive: true });
  const level = new Level<string, string>(folder);
  await level.open();
  const aedes = await Aedes.createBroker({ persistence: createPersistence(level) });
  keepOrder(aedes);
  markRedelivered(aedes);
  const server = createServer(aedes.handle);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    await new Promise<void>((resolve) => aedes.close(resolve));
    await level.close();
    throw error;
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      await new Promise<void>((resolve) => aedes.close(resolve));
      await level.close();
    },
  };
}
