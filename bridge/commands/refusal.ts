// Why the broker would not take a command, known before it is sent: by the rules of its profile, and by what it
// announced in CONNACK. A broker that gets it all the same may close the connection.
import type { IPublishPacket } from 'mqtt-packet';
import {
  type BrokerRules,
  filterFaults,
  publicationFaults,
} from '../../functions/contract/broker-rules.ts';
import { faultsText } from '../../functions/contract/parse.ts';
import { generate } from '../base/mqtt-packet.ts';
import type { Link } from '../connection/link.ts';

export type OutgoingPublish = IPublishPacket & { topic: string; payload: Buffer };

/** In words; undefined where nothing speaks against it. */
export function refusal(
  packet: OutgoingPublish,
  { broker, protocolVersion }: Pick<Link, 'broker' | 'protocolVersion'>,
  rules: BrokerRules,
): string | undefined {
  if (packet.qos > broker.maximumQoS) return `the broker takes QoS ${broker.maximumQoS} at most`;
  if (packet.retain && !broker.retainAvailable) return 'the broker does not retain messages';
  const { topic, payload, qos, retain } = packet;
  const faults = publicationFaults({ topic, payloadBytes: payload.byteLength, qos, retain }, rules);
  if (faults.length > 0) return faultsText(faults);
  if (broker.maximumPacketSize === undefined) return undefined;
  const bytes = generate({ ...packet, messageId: 1 }, { protocolVersion }).length;
  if (bytes <= broker.maximumPacketSize) return undefined;
  return `it takes a packet of ${bytes} bytes, and the broker ${broker.maximumPacketSize}`;
}

/** Why the broker would not let us subscribe to the topic of a reply. */
export function replyRefusal(responseTopic: string, rules: BrokerRules): string | undefined {
  const faults = filterFaults(responseTopic, rules);
  return faults.length === 0 ? undefined : `the response topic ${faults.join(', and ')}`;
}
