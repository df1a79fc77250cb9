// The message that a PUBLISH becomes, with its id, its source and the time of its receipt.
import type { Message } from '../../functions/contract/message.ts';
import type { Publish } from '../packets/publish.ts';
import { idOfProducer, mintId, producerIdIn } from './identity.ts';
import type { ReceiptClock } from './receipt-clock.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function messageOf(
  publish: Publish,
  source: string,
  receiptClock: ReceiptClock,
  possibleDuplicate: boolean,
): Message {
  const { properties } = publish;
  const userProperties = properties?.userProperties;
  const producerId = producerIdIn(userProperties);
  const id =
    producerId === undefined ? mintId() : idOfProducer(producerId, publish.topic, userProperties);
  const { topic, payload, qos, retain, packetId } = publish;
  const time = receiptClock.stamp();
  // Assigned one by one: conditional spreads would make three more objects a message. And what nearly every message has
  // stands in the literal: what is added later takes an object of its own.
  const message: Mutable<Message> =
    qos === 0
      ? { id, source, topic, time, payload, qos, retain }
      : { id, source, topic, time, payload, qos, retain, packetId };
  if (producerId !== undefined) message.producerId = producerId;
  const { receivedAfter } = receiptClock;
  if (receivedAfter !== undefined) message.receivedAfter = receivedAfter;
  if (possibleDuplicate) message.possibleDuplicate = true;
  if (properties !== undefined) message.properties = properties;
  return message;
}
