// The steps that rows are made of. A client is named by one letter or word; what it sends can be given as bytes.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RawClient } from './client.ts';
import {
  acknowledgement,
  type ConnectFields,
  connectPacket,
  disconnectPacket,
  type PublishFields,
  pingreq,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
  type Version,
} from './client-packets.ts';
import type { Properties } from './properties.ts';
import type { Step } from './row.ts';
import type { Run } from './run.ts';
import type { ServerPacket } from './server-packets.ts';

export interface ConnectStep extends Omit<ConnectFields, 'clientId' | 'properties'> {
  /** A session that outlives the connection, taken up again where there is one. */
  readonly keep?: boolean;
  readonly clientId?: string;
  /** Has the client identifier of the client of this name. */
  readonly as?: string;
  readonly version?: Version;
  readonly properties?: Properties;
  /** Whether CONNACK says that a session is present. */
  readonly resumed?: boolean;
  /** What CONNACK has at least. */
  readonly connack?: Properties;
}

/** Connects and is accepted. */
export function connects(name: string, given: ConnectStep = {}): Step {
  return async (run) => {
    const client = await run.open(name, given.version);
    sendConnect(run, client, name, given);
    client.connack = await client.next('connack');
    const { code, sessionPresent, properties } = client.connack;
    expect(code).toBe(0);
    if (given.resumed !== undefined) expect(sessionPresent).toBe(given.resumed);
    if (given.connack !== undefined) expect(properties).toMatchObject(given.connack);
  };
}

/** Sends CONNECT and is refused with one of these codes, or closed without one; MQTT 3.1.1 has codes of its own. */
export function isRefused(name: string, given: ConnectStep, codes: readonly number[]): Step {
  return async (run) => {
    const client = await run.open(name, given.version);
    sendConnect(run, client, name, given);
    const sent = await client.closed();
    for (const packet of sent) expect(packet).toMatchObject({ type: 'connack' });
    for (const { code } of sent) expect(codes).toContain(code);
  };
}

function sendConnect(run: Run, client: RawClient, name: string, given: ConnectStep): void {
  const { keep, will, clientId = run.clientId(given.as ?? name) } = given;
  const expiry: Properties = keep && client.version === 5 ? { sessionExpiryInterval: 300 } : {};
  const properties = { ...expiry, ...given.properties };
  client.receiveMaximum = Number(properties.receiveMaximum ?? 65_535);
  client.maximumPacketSize = Number(properties.maximumPacketSize ?? Number.POSITIVE_INFINITY);
  client.send(
    connectPacket(client.version, {
      ...given,
      clean: given.clean ?? !keep,
      clientId,
      properties,
      ...(will && { will: { ...will, topic: named(run, will.topic) } }),
    }),
  );
}

const named = (run: Run, topic: string | Buffer) =>
  Buffer.isBuffer(topic) ? topic : run.topic(topic);

/** Opens a connection and sends nothing. */
export const opens =
  (name: string): Step =>
  async (run) => {
    await run.open(name);
  };

type Packet = Buffer | ((run: Run, client: RawClient) => Buffer);

export const sends =
  (name: string, packet: Packet): Step =>
  async (run) => {
    const client = run.client(name);
    client.send(Buffer.isBuffer(packet) ? packet : packet(run, client));
  };

/** PUBLISH with the row's topic, without waiting for what acknowledges it. */
export const sendsPublish = (name: string, fields: PublishFields): Step =>
  sends(name, (run, { version }) =>
    publishPacket(version, { ...fields, topic: named(run, fields.topic) }),
  );

/** PUBLISH with all that its QoS brings [MQTT-3.3.4-1]; what is nowhere wanted may be said so (0x10). */
export function publishes(name: string, fields: PublishFields): Step {
  return async (run) => {
    const client = run.client(name);
    const packetId = fields.packetId ?? client.nextPacketId++;
    const topic = named(run, fields.topic);
    client.send(publishPacket(client.version, { ...fields, topic, packetId }));
    if (fields.qos === 1) expectAccepted(await client.next('puback'), packetId);
    if (fields.qos !== 2) return;
    expectAccepted(await client.next('pubrec'), packetId);
    client.send(acknowledgement('pubrel', packetId));
    expect(await client.next('pubcomp')).toMatchObject({ packetId, code: 0 });
  };
}

function expectAccepted(packet: ServerPacket, packetId: number): void {
  expect(packet.packetId).toBe(packetId);
  expect([0, 0x10]).toContain(packet.code);
}

export interface SubscribeStep {
  /** One for each filter. */
  readonly granted?: readonly number[];
  readonly properties?: Properties;
}

/** SUBSCRIBE to one filter or several, each with its options: QoS, or the whole byte. */
export function subscribes(
  name: string,
  filters: string | readonly (readonly [string, number])[],
  options = 0,
  { granted, properties }: SubscribeStep = {},
): Step {
  return async (run) => {
    const client = run.client(name);
    const all = typeof filters === 'string' ? [[filters, options] as const] : filters;
    const packetId = client.nextPacketId++;
    const subscriptions = all.map(([filter, options]) => ({ filter: run.topic(filter), options }));
    client.send(subscribePacket(client.version, packetId, subscriptions, properties));
    const codes = granted ?? all.map(([, options]) => options & 3);
    expect(await client.next('suback')).toMatchObject({ packetId, codes });
  };
}

export function unsubscribes(
  name: string,
  filters: readonly string[],
  codes: readonly number[] = filters.map(() => 0),
): Step {
  return async (run) => {
    const client = run.client(name);
    const packetId = client.nextPacketId++;
    client.send(
      unsubscribePacket(
        client.version,
        packetId,
        filters.map((filter) => run.topic(filter)),
      ),
    );
    const answer = client.version === 5 ? { packetId, codes } : { packetId };
    expect(await client.next('unsuback')).toMatchObject(answer);
  };
}

/** What a packet from the server has at least; `properties` are all that it has. */
export type Expected = Partial<ServerPacket>;

/** The next PUBLISH is this one; it is acknowledged unless `acknowledged` is false. */
export function receives(
  name: string,
  expected: Expected,
  { acknowledged = true }: { readonly acknowledged?: boolean } = {},
): Step {
  return async (run) => {
    const client = run.client(name);
    const packet = await client.next('publish');
    expectPacket(run, packet, expected);
    const { packetId, qos } = packet;
    if (!acknowledged || packetId === undefined) return;
    client.send(acknowledgement(qos === 1 ? 'puback' : 'pubrec', packetId));
    if (qos !== 2) return;
    expect(await client.next('pubrel')).toMatchObject({ packetId, code: 0 });
    client.send(acknowledgement('pubcomp', packetId));
  };
}

/** These PUBLISH packets come next, in any order. */
export function receivesInAnyOrder(name: string, ...expected: readonly Expected[]): Step {
  return async (run) => {
    const client = run.client(name);
    const left = [...expected];
    while (left.length > 0) {
      const packet = await client.next('publish');
      const seen = { ...packet, topic: run.nameOf(packet.topic) };
      const index = left.findIndex((each) => expect.objectContaining(each).asymmetricMatch(seen));
      expect(index, `${JSON.stringify(seen)} is none of ${JSON.stringify(left)}`).not.toBe(-1);
      left.splice(index, 1);
      if (packet.packetId !== undefined)
        client.send(acknowledgement(packet.qos === 1 ? 'puback' : 'pubrec', packet.packetId));
    }
  };
}

/** The next packet of a type other than PUBLISH. */
export const answers =
  (name: string, type: string, expected: Expected = {}): Step =>
  async (run) => {
    expectPacket(run, await run.client(name).next(type), expected);
  };

function expectPacket(run: Run, packet: ServerPacket, expected: Expected): void {
  const { properties, ...fields } = expected;
  expect({ ...packet, topic: run.nameOf(packet.topic) }).toMatchObject(fields);
  if (properties !== undefined) expect(packet.properties).toEqual(properties);
}

/** The connection is open, and nothing has come but what was taken: PINGRESP comes behind all else. */
export const hasNothingMore =
  (name: string): Step =>
  async (run) => {
    const client = run.client(name);
    client.send(pingreq);
    await client.next('pingresp');
    expect(client.left).toEqual([]);
  };

/**
 * The server closes the connection. On MQTT 5 it should say why, by DISCONNECT with one of these reasons, or before
 * CONNACK by that [MQTT-4.13]; where no reasons are given it says nothing.
 */
export const isClosed = (name: string, ...reasons: readonly number[]): Step =>
  closed(name, reasons, reasons.length > 0);

/** The same where a server need not say why: who sends such bytes hardly reads. */
export const isClosedSomehow = (name: string, ...reasons: readonly number[]): Step =>
  closed(name, reasons, false);

function closed(name: string, reasons: readonly number[], saysWhy: boolean): Step {
  return async (run) => {
    const client = run.client(name);
    const sent = (await client.closed()).filter(({ type }) =>
      ['connack', 'disconnect'].includes(type),
    );
    if (client.version !== 5) return expect(sent).toEqual([]);
    if (client.connack !== undefined && saysWhy && run.server.saysWhy) expect(sent).toHaveLength(1);
    for (const { type, code } of sent) {
      expect(type).toBe(client.connack === undefined ? 'connack' : 'disconnect');
      expect(reasons).toContain(code);
    }
  };
}

/** DISCONNECT; the server closes the connection. */
export const disconnects =
  (name: string, reason?: number, properties?: Properties): Step =>
  async (run) => {
    const client = run.client(name);
    client.send(disconnectPacket(reason, properties));
    expect((await client.closed()).filter(({ type }) => type === 'disconnect')).toEqual([]);
  };

/** The network fails. */
export const drops =
  (name: string): Step =>
  async (run) =>
    run.client(name).drop();

/** For what the standard gives in seconds. */
export const pause =
  (seconds: number): Step =>
  async () => {
    await delay(seconds * 1000);
  };
