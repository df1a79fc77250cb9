// The outbound side of MQTT.js: commands to the broker, one promise each, over a connection of their own.
import { randomBytes } from 'node:crypto';
import type { IClientPublishOptions, IPublishPacket } from 'mqtt';
import type { Logger } from 'pino';
import type { Command } from '../functions/contract/command.ts';
import type { BrokerConfig } from './config.ts';
import { keepConnected, type Link } from './connection.ts';
import { userPropertiesRecord } from './properties.ts';

export type PublishResult =
  | { readonly kind: 'sent'; readonly hadSubscribers?: boolean }
  /** The broker answered with an error code; sending it again would not help. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** There is no connection: nothing was sent. */
  | { readonly kind: 'offline' }
  /** No acknowledgement, because of time or a lost connection: it may have been sent. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface PublisherOptions {
  readonly broker: BrokerConfig;
  readonly log: Logger;
  /** Time for the broker's acknowledgement, in milliseconds. */
  readonly timeoutMs: number;
}

/** PUBACK reason code: the broker took the message, and no one is subscribed. MQTT 5 only. */
const noMatchingSubscribers = 0x10;

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /** Settles what waits for its acknowledgement, when the connection that would bring it is gone. */
  readonly #inFlight = new Set<(result: PublishResult) => void>();
  #link: Link | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { broker, log } = options;
    this.#ended = keepConnected({
      broker,
      // One for each process: bridges that share a config must not throw each other out.
      clientId: `${broker.clientIdPrefix}-publisher-${randomBytes(6).toString('hex')}`,
      // No session: what has no acknowledgement is unknown, and the ledger of commands decides about it.
      clean: true,
      log,
      signal: this.#stop.signal,
      onConnected: (link) => {
        this.#link = link;
      },
      onDisconnected: (reason) => {
        this.#link = undefined;
        for (const settle of this.#inFlight) settle({ kind: 'unknown', reason });
        log.warn({ reason }, 'publisher not connected to the broker');
      },
    });
  }

  get connected(): boolean {
    return this.#link?.client.connected ?? false;
  }

  /** Publishes a command. Its topic has been checked: MQTT.js would repeat a refused one for ever (#1402). */
  publish(command: Command): Promise<PublishResult> {
    const link = this.#link;
    if (link === undefined || !link.client.connected) return Promise.resolve({ kind: 'offline' });
    return new Promise((resolve) => {
      const settle = (result: PublishResult) => {
        clearTimeout(timer);
        this.#inFlight.delete(settle);
        resolve(result);
      };
      const timer = setTimeout(
        () => settle({ kind: 'unknown', reason: 'no PUBACK in time' }),
        this.#options.timeoutMs,
      );
      this.#inFlight.add(settle);
      const payload = Buffer.from(command.payloadBase64, 'base64');
      link.client.publish(
        command.topic,
        payload,
        publishOptions(command, link),
        (error, packet) => {
          if (error) return settle(refusal(error));
          // In MQTT.js the packet of a QoS 1 publish is the PUBACK.
          const code =
            packet !== undefined && 'reasonCode' in packet ? packet.reasonCode : undefined;
          if (link.protocolVersion === 4 || command.qos === 0) return settle({ kind: 'sent' });
          settle({ kind: 'sent', hadSubscribers: code !== noMatchingSubscribers });
        },
      );
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

function publishOptions(command: Command, link: Link): IClientPublishOptions {
  const { qos, retain, contentType, userProperties, expirySeconds } = command;
  if (link.protocolVersion === 4) return { qos, retain };
  const properties: NonNullable<IPublishPacket['properties']> = {
    ...(contentType !== undefined && { contentType }),
    ...(userProperties !== undefined && { userProperties: userPropertiesRecord(userProperties) }),
    ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds }),
  };
  return { qos, retain, properties };
}

function refusal(error: Error): PublishResult {
  const code = 'code' in error && typeof error.code === 'number' ? error.code : 0;
  return code >= 0x80
    ? { kind: 'refused', reason: error.message }
    : { kind: 'unknown', reason: error.message };
}
