// What the broker tells of its clients: as events in code, and as messages that clients with the right can
// subscribe to, so that a route forwards them like any other message. The filter `#` does not match them.
//
// | event        | topic                         | QoS | payload: JSON of                                    |
// | ------------ | ----------------------------- | --- | --------------------------------------------------- |
// | connected    | `$events/client/connected`    | 1   | facts, `clean`, `keepAliveSeconds`                  |
// | disconnected | `$events/client/disconnected` | 1   | facts, `reason`, `detail` where there is more to say |
// | subscribed   | `$events/client/subscribed`   | 1   | facts, `subscriptions: [{ filter, qos }]`, as granted |
// | unsubscribed | `$events/client/unsubscribed` | 1   | facts, `filters: []`                                |
// | received     | `$events/message/received`    | the message's | facts, `topic`, `qos`, `retain`, `bytes`  |
//
// The facts are those of {@link ConnectionFacts}, and `time`.
import { EventEmitter } from 'node:events';
import type { QoS } from '../packets/message.ts';

export type Transport = 'tcp' | 'tls' | 'ws' | 'wss';

export interface ConnectionFacts {
  readonly clientId: string;
  /** Null for anonymous. */
  readonly user: string | null;
  readonly address: string;
  readonly transport: Transport;
  /**
   * Number of the connection: a later one has a greater number, also after a restart of the broker, and where its
   * folder was lost. So a late `disconnected` of an earlier connection is known by its smaller number.
   */
  readonly epoch: number;
}

/**
 * `clean`: the client sent DISCONNECT. `takeover`: another connection came with its client id. `keep-alive`: nothing
 * came from it for one and a half times its keep-alive. `server`: the broker closed the connection of a client that
 * did no wrong: it stopped, was killed, or the client's user changed. `error`: anything else.
 */
export type DisconnectReason = 'clean' | 'takeover' | 'keep-alive' | 'server' | 'error';

export interface EventFacts extends ConnectionFacts {
  /** ISO 8601, UTC. */
  readonly time: string;
}

export interface BrokerEvents {
  connected: EventFacts & { readonly clean: boolean; readonly keepAliveSeconds: number };
  disconnected: EventFacts & { readonly reason: DisconnectReason; readonly detail?: string };
  subscribed: EventFacts & {
    readonly subscriptions: readonly { readonly filter: string; readonly qos: QoS }[];
  };
  unsubscribed: EventFacts & { readonly filters: readonly string[] };
  received: EventFacts & {
    readonly topic: string;
    readonly qos: QoS;
    readonly retain: boolean;
    readonly bytes: number;
  };
}

const eventTopics: Record<keyof BrokerEvents, string> = {
  connected: '$events/client/connected',
  disconnected: '$events/client/disconnected',
  subscribed: '$events/client/subscribed',
  unsubscribed: '$events/client/unsubscribed',
  received: '$events/message/received',
};

type Emitted = { [Name in keyof BrokerEvents]: [BrokerEvents[Name]] };

export interface Announcer {
  readonly emitter: EventEmitter<Emitted>;
  /** Tells an event; a listener's exception goes to `onListenerError` and stops nothing. */
  announce<Name extends keyof BrokerEvents>(
    name: Name,
    facts: ConnectionFacts,
    more: Omit<BrokerEvents[Name], keyof EventFacts>,
  ): void;
}

export function createAnnouncer(
  isWanted: (topic: string) => boolean,
  publish: (message: { topic: string; payload: Buffer; qos: QoS }) => void,
  onListenerError: (error: unknown) => void,
): Announcer {
  const emitter = new EventEmitter<Emitted>();
  return {
    emitter,
    announce(name, { clientId, user, address, transport, epoch }, more) {
      const heard = emitter.listenerCount(name) > 0;
      const topic = eventTopics[name];
      const wanted = isWanted(topic);
      if (!heard && !wanted) return;
      const time = new Date().toISOString();
      const event = { clientId, user, address, transport, epoch, time, ...more };
      if (wanted) {
        const qos = 'qos' in more ? (more.qos as QoS) : 1;
        publish({ topic, payload: Buffer.from(JSON.stringify(event)), qos });
      }
      if (!heard) return;
      try {
        (emitter as EventEmitter).emit(name, event);
      } catch (error) {
        onListenerError(error);
      }
    },
  };
}
