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
  // Assigned one by one: conditional spreads would make three more objects a message.
  const message: Mutable<Message> = {
    id:
      producerId === undefined ? mintId() : idOfProducer(producerId, publish.topic, userProperties),
    source,
    topic: publish.topic,
    time: receiptClock.stamp(),
    payload: publish.payload,
    qos: publish.qos,
    retain: publish.retain,
  };
  if (producerId !== undefined) message.producerId = producerId;
  const { receivedAfter } = receiptClock;
  if (receivedAfter !== undefined) message.receivedAfter = receivedAfter;
  if (publish.qos !== 0) message.packetId = publish.packetId;
  if (possibleDuplicate) message.possibleDuplicate = true;
  if (properties !== undefined) message.properties = properties;
  return message;
}
