// The other packets of a client, read strictly: acknowledgements, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT, AUTH.
import { filterFault } from '../../../functions/contract/topic.ts';
import type { Version } from './connect.ts';
import { Cursor, type Fault, malformed, protocolError, zeroPacketId } from './cursor.ts';
import { type Frame, Type } from './frames.ts';
import type { QoS } from './message.ts';
import { Property, readProperties } from './properties.ts';
import { clientReasons, Reason } from './reasons.ts';

export interface Acknowledgement {
  readonly packetId: number;
  readonly reason: number;
}

const reasonsOf: Readonly<Record<number, ReadonlySet<number>>> = {
  [Type.puback]: clientReasons.puback,
  [Type.pubrec]: clientReasons.puback,
  [Type.pubrel]: clientReasons.pubrel,
  [Type.pubcomp]: clientReasons.pubrel,
};

/** PUBACK, PUBREC, PUBREL, PUBCOMP. */
export function readAcknowledgement(
  { type, bytes, start }: Frame,
  version: Version,
): Acknowledgement | Fault {
  const length = bytes.length - start;
  const packetId = length < 2 ? 0 : bytes.readUInt16BE(start);
  if (length < 2) return malformed('an acknowledgement needs a packet id');
  if (packetId === 0) return zeroPacketId;
  if (length === 2) return { packetId, reason: Reason.success };
  if (version !== 5) return malformed('an acknowledgement has a packet id and nothing else');
  const cursor = new Cursor(bytes, start + 2);
  const reason = cursor.byte();
  if (!reasonsOf[type]?.has(reason))
    return protocolError(`no reason code of this packet is ${reason}`);
  if (!cursor.done) readProperties(cursor, 'acknowledgement');
  return faultAtEnd(cursor) ?? { packetId, reason };
}

export interface WantedSubscription {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0: retained messages are sent; 1: for a new subscription; 2: never. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface Subscribe {
  readonly packetId: number;
  readonly subscriptionId: number | undefined;
  readonly subscriptions: readonly WantedSubscription[];
}

export function readSubscribe({ bytes, start }: Frame, version: Version): Subscribe | Fault {
  const cursor = new Cursor(bytes, start);
  const packetId = cursor.packetId();
  let subscriptionId: number | undefined;
  if (version === 5)
    readProperties(cursor, 'subscribe', (id, value) => {
      if (id === Property.subscriptionIdentifier) subscriptionId = Number(value);
    });
  const subscriptions: WantedSubscription[] = [];
  while (!cursor.done) {
    const filter = cursor.string();
    const options = cursor.byte();
    if (cursor.fault !== undefined) break;
    const fault = filterFaultOf(filter) ?? optionsFault(options, filter, version);
    if (fault !== undefined) return fault;
    subscriptions.push({
      filter,
      qos: (options & 0x03) as QoS,
      noLocal: (options & 0x04) !== 0,
      retainAsPublished: (options & 0x08) !== 0,
      retainHandling: ((options >> 4) & 0x03) as 0 | 1 | 2,
    });
  }
  if (cursor.fault !== undefined) return cursor.fault;
  if (subscriptions.length === 0) return protocolError('SUBSCRIBE needs a filter [MQTT-3.8.3-2]');
  return { packetId, subscriptionId, subscriptions };
}

function optionsFault(options: number, filter: string, version: Version): Fault | undefined {
  if ((options & 0x03) === 3) return malformed('the QoS must not be 3 [MQTT-3.8.3-4]');
  if ((options & (version === 5 ? 0xc0 : 0xfc)) !== 0)
    return malformed('reserved bits of the options must be 0 [MQTT-3.8.3-5]');
  if ((options & 0x30) === 0x30)
    return protocolError('the retain handling must not be 3 [MQTT-3.8.3.1]');
  if ((options & 0x04) !== 0 && filter.startsWith('$share/'))
    return protocolError('a shared subscription cannot be No Local [MQTT-3.8.3-4]');
  return undefined;
}

/** How a shared subscription begins, and what follows: the name of its group, and the filter. */
const shared = /^\$share\/([^/+#]+)\/(.+)$/s;

/** The group and the filter of a legal `$share/group/filter`; undefined for an ordinary filter. */
export function sharedFilter(filter: string): { group: string; filter: string } | undefined {
  if (!filter.startsWith('$share/')) return undefined;
  const [, group = '', inner = ''] = shared.exec(filter) ?? [];
  return { group, filter: inner };
}

/** The filter that topics are matched with: an ordinary one as it is, of a shared one what follows its group. */
export const matchingFilter = (filter: string) => sharedFilter(filter)?.filter ?? filter;

function filterFaultOf(filter: string): Fault | undefined {
  const inner = matchingFilter(filter);
  if (filter.startsWith('$share/') && inner === '')
    return malformed(
      'a shared subscription is $share/NAME/FILTER, the name without / + # [MQTT-4.8.2-1]',
    );
  const fault = filterFault(inner);
  return fault === undefined ? undefined : malformed(`the topic filter ${fault}`);
}

export interface Unsubscribe {
  readonly packetId: number;
  readonly filters: readonly string[];
}

export function readUnsubscribe({ bytes, start }: Frame, version: Version): Unsubscribe | Fault {
  const cursor = new Cursor(bytes, start);
  const packetId = cursor.packetId();
  if (version === 5) readProperties(cursor, 'unsubscribe');
  const filters: string[] = [];
  while (!cursor.done) {
    const filter = cursor.string();
    const fault = cursor.fault ?? filterFaultOf(filter);
    if (fault !== undefined) return fault;
    filters.push(filter);
  }
  if (cursor.fault !== undefined) return cursor.fault;
  if (filters.length === 0) return protocolError('UNSUBSCRIBE needs a filter [MQTT-3.10.3-2]');
  return { packetId, filters };
}

export interface Disconnect {
  readonly reason: number;
  /** Where the client changes it [MQTT-3.14.2-2]. */
  readonly sessionExpirySeconds: number | undefined;
}

export function readDisconnect({ bytes, start }: Frame, version: Version): Disconnect | Fault {
  const cursor = new Cursor(bytes, start);
  let sessionExpirySeconds: number | undefined;
  if (cursor.done) return { reason: Reason.success, sessionExpirySeconds };
  if (version !== 5) return malformed('DISCONNECT has no body');
  const reason = cursor.byte();
  if (!clientReasons.disconnect.has(reason))
    return { ...malformed(`a client has no reason ${reason}`), silent: true };
  if (!cursor.done)
    readProperties(cursor, 'disconnect', (id, value) => {
      if (id === Property.sessionExpiryInterval) sessionExpirySeconds = Number(value);
    });
  return faultAtEnd(cursor) ?? { reason, sessionExpirySeconds };
}

/** There is no method with which a client could go on here [MQTT-4.12.0-6]. */
export const authFault = protocolError('AUTH without an authentication method [MQTT-4.12.0-6]');

export function pingFault({ bytes, start }: Frame): Fault | undefined {
  return bytes.length > start ? { ...malformed('PINGREQ has no body'), silent: true } : undefined;
}

const faultAtEnd = (cursor: Cursor) =>
  cursor.fault ??
  (cursor.at < cursor.end ? malformed('the packet goes on after its last field') : undefined);
