// One MQTT connection at the AWS IoT Core of the tests: every packet of the client is held to the documented rules.
import type { Duplex } from 'node:stream';
import mqttPacket, {
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
} from 'mqtt-packet';
import {
  isAllowed,
  type PolicyStatement,
  payloadViolation,
  quotas,
  Rate,
  topicViolation,
} from './aws-iot-rules.ts';
import type { AwsIotSession } from './aws-iot-session.ts';

export type DisconnectReason =
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CLIENT_ERROR'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'FORBIDDEN_ACCESS';

/** What a connection asks of the broker. */
export interface Host {
  readonly policy: readonly PolicyStatement[];
  /** Time until a publish is acknowledged, in milliseconds. */
  readonly ackDelayMs: number;
  violated(clientId: string, rule: string): void;
  /** The session for a client; `present` where it was there before. */
  open(connection: AwsIotConnection): { session: AwsIotSession; present: boolean };
  closed(connection: AwsIotConnection, reason: DisconnectReason): void;
  published(clientId: string, packet: IPublishPacket): void;
}

export class AwsIotConnection {
  readonly rate = new Rate();
  readonly principal: string;
  connect: IConnectPacket | undefined;
  session: AwsIotSession | undefined;
  readonly #host: Host;
  readonly #stream: Duplex;
  readonly #parser = mqttPacket.parser({ protocolVersion: 4 });
  readonly #unacknowledged = new Set<number>();
  #silence: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(stream: Duplex, host: Host, principal: string) {
    this.#stream = stream;
    this.#host = host;
    this.principal = principal;
    this.#parser.on('packet', (packet) => this.#onPacket(packet));
    this.#parser.on('error', () => this.end('CLIENT_ERROR'));
    stream.on('data', (bytes) => !this.#isOver && this.#parser.parse(bytes));
    stream.on('error', () => {});
    stream.on('close', () => this.end('CONNECTION_LOST'));
  }

  get clientId(): string {
    return this.connect?.clientId ?? '';
  }

  get receiveMaximum(): number {
    const asked = this.connect?.properties?.receiveMaximum ?? quotas.outboundUnacknowledged;
    return Math.min(asked, quotas.outboundUnacknowledged);
  }

  publish(packet: IPublishPacket): void {
    this.#send(packet);
  }

  /** Ends it, with a DISCONNECT on MQTT 5. */
  end(reason: DisconnectReason, reasonCode = 0x80): void {
    if (this.#isOver) return;
    const isToldWhy = reason !== 'CONNECTION_LOST' && reason !== 'CLIENT_INITIATED_DISCONNECT';
    if (isToldWhy && this.#version === 5) this.#send({ cmd: 'disconnect', reasonCode });
    this.#isOver = true;
    clearTimeout(this.#silence);
    this.#stream.end();
    this.#stream.destroy();
    this.#host.closed(this, reason);
  }

  get #version(): number {
    return this.connect?.protocolVersion ?? 4;
  }

  #send(packet: Packet): void {
    if (this.#isOver || this.#stream.destroyed) return;
    this.#stream.write(mqttPacket.generate(packet, { protocolVersion: this.#version }));
  }

  #violate(rule: string, reason: DisconnectReason = 'CLIENT_ERROR'): void {
    this.#host.violated(this.clientId, rule);
    this.end(reason);
  }

  #onPacket(packet: Packet): void {
    if (this.#isOver) return;
    if (this.connect === undefined) {
      if (packet.cmd === 'connect') return this.#onConnect(packet);
      return this.#violate(`${packet.cmd} before CONNECT`);
    }
    this.#listen();
    switch (packet.cmd) {
      case 'pingreq':
        return this.#send({ cmd: 'pingresp' });
      case 'subscribe':
        return this.#onSubscribe(packet);
      case 'unsubscribe': {
        for (const filter of packet.unsubscriptions) this.session?.subscriptions.delete(filter);
        const granted = packet.unsubscriptions.map(() => 0);
        return this.#send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted });
      }
      case 'publish':
        return this.#onPublish(packet);
      case 'puback':
        if (this.session?.acknowledge(packet.messageId ?? 0) !== true)
          this.#host.violated(this.clientId, `PUBACK for nothing: ${packet.messageId}`);
        return;
      case 'disconnect':
        return this.end('CLIENT_INITIATED_DISCONNECT');
      default:
        return this.#violate(`a packet of the kind ${packet.cmd}`);
    }
  }

  #onConnect(packet: IConnectPacket): void {
    this.connect = packet;
    // The parser goes by it from now on.
    (this.#parser as unknown as { settings: object }).settings = {
      protocolVersion: packet.protocolVersion,
    };
    const { clientId, keepalive = 0, properties = {} } = packet;
    const bytes = Buffer.byteLength(clientId);
    if (bytes === 0 || bytes > quotas.clientIdBytes) return this.#violate(`${bytes} bytes of id`);
    if (!isAllowed(this.#host.policy, 'iot:Connect', `client/${clientId}`))
      return this.#violate(`may not connect as ${clientId}`, 'FORBIDDEN_ACCESS');
    if (keepalive < quotas.keepAlive.min || keepalive > quotas.keepAlive.max)
      this.#host.violated(clientId, `keep-alive ${keepalive}`);
    const { sessionExpiryInterval: expiry = 0 } = properties;
    if (expiry > quotas.sessionExpirySeconds) this.#host.violated(clientId, `expiry ${expiry}`);
    const { session, present } = this.#host.open(this);
    this.session = session;
    const defaultExpiry = packet.clean === true ? 0 : 3600;
    session.expirySeconds = this.#version === 5 ? expiry : defaultExpiry;
    this.#send({
      cmd: 'connack',
      ...(this.#version === 5 ? { reasonCode: 0 } : { returnCode: 0 }),
      sessionPresent: present,
      ...(this.#version === 5 && {
        properties: {
          sessionExpiryInterval: expiry,
          receiveMaximum: quotas.inboundUnacknowledged,
          maximumQoS: 1,
          retainAvailable: true,
          topicAliasMaximum: 8,
          subscriptionIdentifiersAvailable: false,
          sharedSubscriptionAvailable: true,
        },
      }),
    });
    this.#listen();
    session.attach(this);
  }

  /** The client may be silent for one and a half times its keep-alive. */
  #listen(): void {
    clearTimeout(this.#silence);
    const seconds = (this.connect?.keepalive ?? quotas.keepAlive.max) * 1.5;
    this.#silence = setTimeout(() => this.end('MQTT_KEEP_ALIVE_TIMEOUT', 0x8d), seconds * 1000);
  }

  #onSubscribe({ subscriptions, messageId = 0 }: ISubscribePacket): void {
    if (subscriptions.length > quotas.subscriptionsPerSubscribe)
      return this.#violate(`${subscriptions.length} filters in one SUBSCRIBE`);
    const own = this.session?.subscriptions;
    const granted: number[] = [];
    for (const { topic: filter, qos } of subscriptions) {
      const rule = topicViolation(filter.replace(/^\$share\/[^/]+\//, ''));
      if (rule !== undefined) return this.#violate(`SUBSCRIBE: ${rule}`);
      if (!isAllowed(this.#host.policy, 'iot:Subscribe', `topicfilter/${filter}`))
        return this.#violate(`may not subscribe to ${filter}`, 'FORBIDDEN_ACCESS');
      own?.set(filter, qos === 0 ? 0 : 1);
      if ((own?.size ?? 0) > quotas.subscriptionsPerConnection)
        return this.#violate(`${own?.size} subscriptions`);
      granted.push(qos === 0 ? 0 : 1);
    }
    this.#send({ cmd: 'suback', messageId, granted });
  }

  #onPublish(packet: IPublishPacket): void {
    const { topic, payload, qos, messageId = 0 } = packet;
    if (qos === 2) return this.#violate('QoS 2');
    const rule = topicViolation(topic) ?? payloadViolation(payload);
    if (rule !== undefined) return this.#violate(`PUBLISH: ${rule}`);
    if (!isAllowed(this.#host.policy, 'iot:Publish', `topic/${topic}`))
      return this.#violate(`may not publish to ${topic}`, 'FORBIDDEN_ACCESS');
    if (packet.retain && !isAllowed(this.#host.policy, 'iot:RetainPublish', `topic/${topic}`))
      return this.#violate(`may not retain on ${topic}`, 'FORBIDDEN_ACCESS');
    // Discarded, and not acknowledged.
    if (this.rate.count(performance.now()) > quotas.publishesPerSecond)
      return this.#host.violated(this.clientId, 'more than 100 publishes a second');
    if (qos === 1) {
      this.#unacknowledged.add(messageId);
      if (this.#unacknowledged.size > quotas.inboundUnacknowledged)
        return this.#violate(`${this.#unacknowledged.size} unacknowledged publishes`);
      setTimeout(() => {
        this.#unacknowledged.delete(messageId);
        this.#send({ cmd: 'puback', messageId });
      }, this.#host.ackDelayMs);
    }
    this.#host.published(this.clientId, packet);
  }
}
