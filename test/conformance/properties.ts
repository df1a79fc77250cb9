// The properties of MQTT 5 as bytes, both ways [MQTT-2.2.2].
import { prefixed, u8, u16, u32, variable } from './bytes.ts';
import type { Reader } from './reader.ts';

type Kind = 'byte' | 'two' | 'four' | 'variable' | 'text' | 'binary' | 'pair';

/** Identifier and kind, by name. */
export const propertyTable = {
  payloadFormatIndicator: [0x01, 'byte'],
  messageExpiryInterval: [0x02, 'four'],
  contentType: [0x03, 'text'],
  responseTopic: [0x08, 'text'],
  correlationData: [0x09, 'binary'],
  subscriptionIdentifier: [0x0b, 'variable'],
  sessionExpiryInterval: [0x11, 'four'],
  assignedClientIdentifier: [0x12, 'text'],
  serverKeepAlive: [0x13, 'two'],
  authenticationMethod: [0x15, 'text'],
  authenticationData: [0x16, 'binary'],
  requestProblemInformation: [0x17, 'byte'],
  willDelayInterval: [0x18, 'four'],
  requestResponseInformation: [0x19, 'byte'],
  responseInformation: [0x1a, 'text'],
  serverReference: [0x1c, 'text'],
  reasonString: [0x1f, 'text'],
  receiveMaximum: [0x21, 'two'],
  topicAliasMaximum: [0x22, 'two'],
  topicAlias: [0x23, 'two'],
  maximumQos: [0x24, 'byte'],
  retainAvailable: [0x25, 'byte'],
  userProperty: [0x26, 'pair'],
  maximumPacketSize: [0x27, 'four'],
  wildcardSubscriptionAvailable: [0x28, 'byte'],
  subscriptionIdentifierAvailable: [0x29, 'byte'],
  sharedSubscriptionAvailable: [0x2a, 'byte'],
} as const satisfies Record<string, readonly [number, Kind]>;

export type PropertyName = keyof typeof propertyTable;

/** Numbers, text (binary data too) or, for user properties, pairs; a list stands for a property that comes several times. */
export type PropertyValue =
  | number
  | string
  | readonly number[]
  | readonly (readonly [string, string])[];

export type Properties = { readonly [name in PropertyName]?: PropertyValue };

/** One property with its identifier. */
export function property(name: PropertyName, value: PropertyValue): Buffer {
  const [id, kind] = propertyTable[name];
  if (Array.isArray(value))
    return Buffer.concat(value.map((each) => Buffer.concat([u8(id), encoded(kind, each)])));
  return Buffer.concat([u8(id), encoded(kind, value)]);
}

function encoded(kind: Kind, value: unknown): Buffer {
  if (kind === 'pair') {
    const [name, text] = value as [string, string];
    return Buffer.concat([prefixed(name), prefixed(text)]);
  }
  if (kind === 'text' || kind === 'binary') return prefixed(value as string);
  const number = value as number;
  return { byte: u8, two: u16, four: u32, variable }[kind](number);
}

/** All of them with their length in front; bytes are taken as they are. */
export function properties(given: Properties | Buffer = {}): Buffer {
  const bytes = Buffer.isBuffer(given)
    ? given
    : Buffer.concat(
        Object.entries(given).map(([name, value]) =>
          property(name as PropertyName, value as PropertyValue),
        ),
      );
  return Buffer.concat([variable(bytes.length), bytes]);
}

const byId = new Map<number, readonly [string, Kind]>(
  Object.entries(propertyTable).map(([name, [id, kind]]) => [id, [name, kind]]),
);
const repeatable: readonly string[] = ['userProperty', 'subscriptionIdentifier'];

/** Reads what a server has sent: only `allowed` ones, each once but for the two that may come again. */
export function readProperties(
  reader: Reader,
  allowed: readonly PropertyName[],
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const end = reader.variable() + reader.position;
  while (reader.position < end) {
    const id = reader.byte();
    const [name, kind] = byId.get(id) ?? reader.fail(`no property has the identifier ${id}`);
    if (!allowed.includes(name as PropertyName)) reader.fail(`${name} does not belong here`);
    const value = readValue(reader, kind);
    if (repeatable.includes(name)) found[name] = [...((found[name] as unknown[]) ?? []), value];
    else if (name in found) reader.fail(`${name} comes twice`);
    else found[name] = value;
  }
  if (reader.position !== end) reader.fail('the properties are longer than they say');
  return found;
}

function readValue(reader: Reader, kind: Kind): unknown {
  switch (kind) {
    case 'byte':
      return reader.byte();
    case 'two':
      return reader.two();
    case 'four':
      return reader.four();
    case 'variable':
      return reader.variable();
    case 'text':
      return reader.text();
    case 'binary':
      return reader.binary().toString('latin1');
    case 'pair':
      return [reader.text(), reader.text()];
  }
}
