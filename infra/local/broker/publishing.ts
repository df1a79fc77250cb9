// How aedes 1.2 publishes, mended. By itself it
// - sends PUBACK before the message is stored, so a crash loses what was acknowledged;
// - hands a message to subscribers when its own writes are done, so a later one overtakes it, and the overtaken one
//   is then dropped as a duplicate (`dedupe` in its lib/client.js);
// - tells the next message only when the slowest subscriber has read this one.
// Here messages are stored, handed on and acknowledged in the order in which they came, and nobody waits for a
// subscriber. 2.0.0-beta.1 does the same as 1.2 (lib/handlers/publish.js), and its MQTT 5 has neither shared
// subscriptions nor regard for the client's receive maximum: so 1.2, which the registry calls latest.
import type { Aedes, AedesPublishPacket, Client, PublishPacket } from 'aedes';
import type { Message } from './message.ts';

type Done = (error?: Error | null) => void;

/** The parts of an aedes that are not in its types. */
interface Internals {
  /** Number of the last message; a new one gets its number synchronously in `publish`. */
  counter: number;
  publish: (packet: PublishPacket, client: Client | null | Done, done?: Done) => void;
  mq: { emit: (packet: AedesPublishPacket, done?: Done) => void };
}

interface Slot {
  readonly number: number;
  readonly done: Done;
  /** Hands the message to its subscribers; undefined until the store has it. */
  emit: (() => void) | undefined;
  /** What else has to be kept of it, is. */
  kept: boolean;
  failed: Error | undefined;
}

export interface PublishingHooks {
  /**
   * Called for each message before any of it is kept; `number` is its `brokerCounter`. Resolves when what else has to
   * be kept of it is; undefined where there is nothing.
   */
  readonly keep: (
    packet: PublishPacket,
    client: Client | null,
    number: number,
  ) => Promise<void> | undefined;
  /** Called for each message when it is kept and its turn has come. */
  readonly published: (packet: PublishPacket, client: Client | null) => void;
}

export interface Publishing {
  /** Publishes what aedes would acknowledge first; aedes then publishes it no second time. */
  beforeAcknowledging(packet: PublishPacket, client: Client, done: Done): void;
  /** Messages that are on their way to the store or to their turn. */
  readonly pending: number;
}

export function mendPublishing(aedes: Aedes, hooks: PublishingHooks): Publishing {
  const broker = aedes as unknown as Internals;
  const queue: Slot[] = [];
  const slots = new Map<number, Slot>();
  const published = new WeakSet<PublishPacket>();
  let pumping = false;

  const pump = () => {
    if (pumping) return;
    pumping = true;
    for (let slot = queue[0]; slot !== undefined; slot = queue[0]) {
      if (slot.failed === undefined && !(slot.kept && slot.emit !== undefined)) break;
      queue.shift();
      slots.delete(slot.number);
      if (slot.failed === undefined) slot.emit?.();
      slot.done(slot.failed);
    }
    pumping = false;
  };
  const fail = (slot: Slot, error: Error) => {
    slot.failed = error;
    pump();
  };

  const publish = broker.publish.bind(aedes);
  broker.publish = (packet, clientOrDone, maybeDone) => {
    const [client, done = () => {}] =
      typeof clientOrDone === 'function' ? [null, clientOrDone] : [clientOrDone, maybeDone];
    // Who connects and subscribes, for a cluster of brokers; this one has its own events.
    if (client === null && packet.topic.startsWith('$SYS/')) return done();
    if (published.delete(packet)) return done();
    const slot: Slot = {
      number: broker.counter + 1,
      done(error) {
        if (!error) hooks.published(packet, client);
        done(error);
      },
      emit: undefined,
      kept: false,
      failed: undefined,
    };
    queue.push(slot);
    slots.set(slot.number, slot);
    const keeping = hooks.keep(packet, client, slot.number);
    slot.kept = keeping === undefined;
    keeping?.then(
      () => {
        slot.kept = true;
        pump();
      },
      (error) => fail(slot, error),
    );
    // `retain` is for those who subscribe later [MQTT-3.3.1-9]. Without it aedes takes all messages the same way.
    publish({ ...packet, retain: false }, client, (error) => {
      if (error && slots.has(slot.number)) fail(slot, error);
    });
  };

  const emit = broker.mq.emit.bind(broker.mq);
  broker.mq.emit = (packet, done) => {
    const slot = slots.get(packet.brokerCounter ?? 0);
    if (slot === undefined) return emit(packet, done);
    slot.emit = () => emit(packet, done);
    pump();
  };

  return {
    beforeAcknowledging(packet, client, done) {
      broker.publish(packet, client, (error) => {
        if (!error) published.add(packet);
        done(error);
      });
    },
    get pending() {
      return queue.length;
    },
  };
}

/** A packet's message, in memory of its own: a view would keep the whole read of the socket that it came in. */
export function messageOf({ topic, payload, qos, retain }: PublishPacket): Message {
  return { topic, payload: Buffer.from(payload as Buffer), qos, retain };
}
