// CONNECT, read strictly [MQTT-3.1].
import { topicFault } from '../../../functions/contract/topic.ts';
import { Cursor, type Fault, malformed, protocolError } from './cursor.ts';
import type { Frame } from './frames.ts';
import type { QoS } from './message.ts';
import { Property, readProperties } from './properties.ts';
import { readMessageProperties } from './publish.ts';
import { Reason } from './reasons.ts';

export type Version = 3 | 4 | 5;

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties?: Buffer;
  /** Its Message Expiry Interval. */
  readonly expirySeconds?: number;
  readonly delaySeconds: number;
}

export interface Connect {
  readonly version: Version;
  readonly clientId: string;
  readonly clean: boolean;
  readonly keepAliveSeconds: number;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: Will | undefined;
  /** Undefined before MQTT 5, where the server decides. */
  readonly sessionExpirySeconds: number | undefined;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
  readonly authenticationMethod: string | undefined;
}

/** A CONNECT that breaks a rule, and the version in which it can be told so; undefined where it cannot. */
export interface ConnectFault extends Fault {
  readonly version: Version | undefined;
}

const names: Readonly<Record<string, readonly number[]>> = { MQIsdp: [3], MQTT: [4, 5] };

export function readConnect({ bytes, start }: Frame): Connect | ConnectFault {
  const cursor = new Cursor(bytes, start);
  const name = cursor.string();
  const version = cursor.byte();
  if (cursor.fault !== undefined) return { ...cursor.fault, version: undefined };
  const levels = names[name];
  if (levels === undefined)
    return {
      ...protocolError('the protocol name must be MQTT [MQTT-3.1.2-1]'),
      version: undefined,
    };
  if (!levels.includes(version)) {
    const rule = `the protocol level ${version} is not supported [MQTT-3.1.2-2]`;
    // Who speaks another of the versions that there are can read that version's answer.
    const readable = version === 3 || version === 4 ? 4 : 5;
    return { reason: Reason.unsupportedProtocolVersion, rule, version: readable };
  }
  return readBody(cursor, version as Version, bytes[0] ?? 0);
}

type ConnectProperties = Pick<
  Connect,
  | 'sessionExpirySeconds'
  | 'receiveMaximum'
  | 'maximumPacketSize'
  | 'topicAliasMaximum'
  | 'authenticationMethod'
>;

const noProperties: ConnectProperties = {
  sessionExpirySeconds: undefined,
  receiveMaximum: 65_535,
  maximumPacketSize: 268_435_460,
  topicAliasMaximum: 0,
  authenticationMethod: undefined,
};

function readBody(cursor: Cursor, version: Version, first: number): Connect | ConnectFault {
  const fault = (found: Fault, tell = false): ConnectFault => ({
    ...found,
    version: tell ? version : undefined,
  });
  // MQTT 3.1 gives these bits no meaning in CONNECT, and no rule.
  if (version !== 3 && (first & 0x0f) !== 0)
    return fault(malformed('CONNECT has no flags [MQTT-2.1.3-1]'));
  const flags = cursor.byte();
  const flagsFault = connectFlagsFault(flags, version);
  if (flagsFault !== undefined) return fault(flagsFault);
  const keepAliveSeconds = cursor.twoBytes();
  if (cursor.fault !== undefined) return fault(cursor.fault);
  const properties = version === 5 ? readConnectProperties(cursor) : noProperties;
  if (cursor.fault !== undefined) return fault(cursor.fault, true);

  const clientId = cursor.string();
  if (cursor.fault !== undefined)
    return fault({ ...(cursor.fault as Fault), reason: Reason.clientIdentifierNotValid }, true);
  const will = (flags & 0x04) === 0 ? undefined : readWill(cursor, flags, version);
  if (cursor.fault !== undefined) return fault(cursor.fault, true);
  const willFault = will && topicFault(will.topic);
  if (willFault !== undefined)
    return fault(
      { reason: Reason.topicNameInvalid, rule: `the topic of the will ${willFault}` },
      true,
    );
  const username = (flags & 0x80) === 0 ? undefined : cursor.string();
  const password = (flags & 0x40) === 0 ? undefined : cursor.binary();
  if (cursor.fault !== undefined) return fault(cursor.fault);
  if (cursor.at < cursor.end) return fault(malformed('CONNECT goes on after its last field'), true);
  const clean = (flags & 0x02) !== 0;
  return { version, clientId, clean, keepAliveSeconds, username, password, will, ...properties };
}

function connectFlagsFault(flags: number, version: Version): Fault | undefined {
  if ((flags & 0x01) !== 0 && version !== 3)
    return malformed('the reserved flag must be 0 [MQTT-3.1.2-3]');
  const qos = (flags >> 3) & 0x03;
  if (qos === 3) return malformed('the QoS of the will must not be 3 [MQTT-3.1.2-12]');
  if ((flags & 0x04) === 0 && (flags & 0x38) !== 0)
    return malformed('without a will its QoS and retain flag must be 0 [MQTT-3.1.2-11]');
  if (version !== 5 && (flags & 0xc0) === 0x40)
    return malformed('a password needs a user name [MQTT-3.1.2-22]');
  return undefined;
}

function readConnectProperties(cursor: Cursor): ConnectProperties {
  const values = new Map<number, number | string>();
  readProperties(cursor, 'connect', (id, value) => values.set(id, value));
  const number = (id: number, preset: number) => Number(values.get(id) ?? preset);
  const method = values.get(Property.authenticationMethod);
  if (values.has(Property.authenticationData) && method === undefined)
    cursor.fail(protocolError('authentication data needs a method [MQTT-3.1.2.11.10]'));
  return {
    sessionExpirySeconds: number(Property.sessionExpiryInterval, 0),
    receiveMaximum: number(Property.receiveMaximum, noProperties.receiveMaximum),
    maximumPacketSize: number(Property.maximumPacketSize, noProperties.maximumPacketSize),
    topicAliasMaximum: number(Property.topicAliasMaximum, 0),
    authenticationMethod: method === undefined ? undefined : String(method),
  };
}

function readWill(cursor: Cursor, flags: number, version: Version): Will {
  let delaySeconds = 0;
  const properties =
    version !== 5
      ? {}
      : readMessageProperties(cursor, 'will', (id, value) => {
          if (id === Property.willDelayInterval) delaySeconds = Number(value);
        });
  const topic = cursor.string();
  const payload = cursor.binary();
  const qos = ((flags >> 3) & 0x03) as QoS;
  return { topic, payload, qos, retain: (flags & 0x20) !== 0, delaySeconds, ...properties };
}
