// Order for aedes 1.2. It hands a message to subscribers when its own writes to the persistence are done, so
// a later message can overtake an earlier one; and what was overtaken is then dropped as a duplicate
// (`dedupe` in its lib/client.js), although it was acknowledged to its publisher. With a persistence on disk
// that is every tenth message of a burst; test/infra/local/broker.test.ts shows it.
import type { Aedes, AedesPublishPacket, Client } from 'aedes';

type Done = (error?: Error) => void;

/** The parts of an aedes that are not in its types. */
interface Internals {
  /** Number of the last message; a new one gets its number synchronously in `publish`. */
  counter: number;
  publish: (packet: AedesPublishPacket, client: Client | null | Done, done?: Done) => void;
  mq: { emit: (packet: AedesPublishPacket, done?: Done) => void };
  persistence: { outgoingUpdate: (client: Client, packet: object) => Promise<void> };
}

interface Slot {
  /** Hands the message to its subscribers; undefined until the persistence has it. */
  emit: (() => void) | undefined;
  /** It failed, or has been handed over. */
  finished: boolean;
}

/** Makes a broker hand messages to subscribers, and write them to each, in the order they were published. */
export function keepOrder(aedes: Aedes): void {
  const broker = aedes as unknown as Internals;
  const queue: Slot[] = [];
  const slots = new Map<number, Slot>();

  const pump = () => {
    for (let slot = queue[0]; slot?.emit !== undefined || slot?.finished; slot = queue[0]) {
      queue.shift();
      slot.emit?.();
    }
  };

  const publish = broker.publish.bind(aedes);
  broker.publish = (packet, clientOrDone, maybeDone) => {
    const [client, done] =
      typeof clientOrDone === 'function' ? [null, clientOrDone] : [clientOrDone, maybeDone];
    const slot: Slot = { emit: undefined, finished: false };
    const number = broker.counter + 1;
    queue.push(slot);
    slots.set(number, slot);
    publish(packet, client, (error) => {
      slot.finished = true;
      slots.delete(number);
      pump();
      done?.(error);
    });
  };

  const emit = broker.mq.emit.bind(broker.mq);
  broker.mq.emit = (packet, done) => {
    const slot = slots.get(packet.brokerCounter ?? 0);
    if (slot === undefined || slot.finished) return emit(packet, done);
    slot.emit = () => emit(packet, done);
    pump();
  };

  // A QoS 1 message is written to a client when its packet id has been stored: in order for each client too.
  const last = new WeakMap<Client, Promise<unknown>>();
  const outgoingUpdate = broker.persistence.outgoingUpdate.bind(broker.persistence);
  broker.persistence.outgoingUpdate = (client, packet) => {
    const stored = outgoingUpdate(client, packet);
    const inTurn = Promise.allSettled([last.get(client), stored]).then(() => stored);
    last.set(client, inTurn);
    return inTurn;
  };
}
