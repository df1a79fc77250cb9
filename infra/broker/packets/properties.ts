// The properties of MQTT 5: which packet of a client may have which, how often, and with which values [MQTT-2.2.2].
import { Cursor, type Fault, malformed, protocolError } from './cursor.ts';

export type Place =
  | 'connect'
  | 'will'
  | 'publish'
  | 'acknowledgement'
  | 'subscribe'
  | 'unsubscribe'
  | 'disconnect'
  | 'auth';

type Kind = 'flag' | 'two' | 'four' | 'variable' | 'string' | 'topic' | 'binary' | 'pair';

interface Rule {
  readonly name: string;
  readonly kind: Kind;
  /** Where a client may send it. */
  readonly places: readonly Place[];
  /** Must not be 0. */
  readonly positive?: true;
}

export const Property = {
  messageExpiryInterval: 0x02,
  subscriptionIdentifier: 0x0b,
  sessionExpiryInterval: 0x11,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  willDelayInterval: 0x18,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
} as const;

const rules: Readonly<Record<number, Rule>> = {
  1: { name: 'Payload Format Indicator', kind: 'flag', places: ['publish', 'will'] },
  2: { name: 'Message Expiry Interval', kind: 'four', places: ['publish', 'will'] },
  3: { name: 'Content Type', kind: 'string', places: ['publish', 'will'] },
  8: { name: 'Response Topic', kind: 'topic', places: ['publish', 'will'] },
  9: { name: 'Correlation Data', kind: 'binary', places: ['publish', 'will'] },
  // Of a PUBLISH it comes from a server alone [MQTT-3.3.4-6].
  11: { name: 'Subscription Identifier', kind: 'variable', places: ['subscribe'], positive: true },
  17: { name: 'Session Expiry Interval', kind: 'four', places: ['connect', 'disconnect'] },
  21: { name: 'Authentication Method', kind: 'string', places: ['connect', 'auth'] },
  22: { name: 'Authentication Data', kind: 'binary', places: ['connect', 'auth'] },
  23: { name: 'Request Problem Information', kind: 'flag', places: ['connect'] },
  24: { name: 'Will Delay Interval', kind: 'four', places: ['will'] },
  25: { name: 'Request Response Information', kind: 'flag', places: ['connect'] },
  31: { name: 'Reason String', kind: 'string', places: ['acknowledgement', 'disconnect', 'auth'] },
  33: { name: 'Receive Maximum', kind: 'two', places: ['connect'], positive: true },
  34: { name: 'Topic Alias Maximum', kind: 'two', places: ['connect'] },
  35: { name: 'Topic Alias', kind: 'two', places: ['publish'] },
  38: {
    name: 'User Property',
    kind: 'pair',
    places: [
      'connect',
      'will',
      'publish',
      'acknowledgement',
      'subscribe',
      'unsubscribe',
      'disconnect',
      'auth',
    ],
  },
  39: { name: 'Maximum Packet Size', kind: 'four', places: ['connect'], positive: true },
};

/** Called for each property: its id, its value where that is a number or a text, and where its bytes are. */
export type OnProperty = (id: number, value: number | string, from: number, to: number) => void;

/** Reads the properties that begin at the cursor, with their length, and checks them. */
export function readProperties(cursor: Cursor, place: Place, onProperty?: OnProperty): void {
  const length = cursor.variableByteInteger();
  if (length === 0 || cursor.fault !== undefined) return;
  if (cursor.at + length > cursor.end)
    return cursor.fail(malformed('the properties are longer than their packet'));
  const inner = new Cursor(cursor.bytes, cursor.at, cursor.at + length);
  cursor.at += length;
  // The ids are below 64: one bit for each.
  const seen = [0, 0];
  while (!inner.done) {
    const from = inner.at;
    const id = inner.variableByteInteger();
    const rule = rules[id];
    if (inner.fault !== undefined) break;
    if (rule === undefined || !rule.places.includes(place)) {
      inner.fail(
        malformed(`${rule?.name ?? `property ${id}`} has no place in this packet [MQTT-2.2.2]`),
      );
      break;
    }
    const half = id >> 5;
    const bit = 1 << (id & 31);
    if (id !== Property.userProperty && ((seen[half] ?? 0) & bit) !== 0)
      inner.fail(protocolError(`${rule.name} must not come twice`));
    seen[half] = (seen[half] ?? 0) | bit;
    const value = readValue(inner, rule);
    if (inner.fault === undefined) onProperty?.(id, value, from, inner.at);
  }
  if (inner.fault !== undefined) cursor.fail(inner.fault);
}

function readValue(cursor: Cursor, rule: Rule): number | string {
  const value = read(cursor, rule.kind);
  if (cursor.fault !== undefined) return 0;
  const fault = valueFault(rule, value);
  if (fault !== undefined) cursor.fail(fault);
  return value;
}

function read(cursor: Cursor, kind: Kind): number | string {
  switch (kind) {
    case 'flag':
      return cursor.byte();
    case 'two':
      return cursor.twoBytes();
    case 'four':
      return cursor.fourBytes();
    case 'variable':
      return cursor.variableByteInteger();
    case 'string':
    case 'topic':
      return cursor.string();
    case 'binary':
      return cursor.binary().length;
    case 'pair':
      cursor.string();
      return cursor.string();
  }
}

function valueFault({ name, kind, positive }: Rule, value: number | string): Fault | undefined {
  if (kind === 'flag' && value !== 0 && value !== 1) return protocolError(`${name} must be 0 or 1`);
  if (positive && value === 0) return protocolError(`${name} must not be 0`);
  if (kind === 'topic' && (value === '' || /[+#]/.test(String(value))))
    return protocolError(`${name} must be a topic without wildcards [MQTT-3.3.2-14]`);
  return undefined;
}
