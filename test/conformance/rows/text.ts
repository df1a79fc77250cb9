// UTF-8 text, in each field that has it [MQTT-1.5.4].
import { hex, packet, prefixed, u8, u16 } from '../bytes.ts';
import {
  connectPacket,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
  type Version,
} from '../client-packets.ts';
import { type PropertyName, property, propertyTable } from '../properties.ts';
import { both, five } from '../row.ts';
import { connects, hasNothingMore, publishes, receives, subscribes } from '../steps.ts';
import { either, malformed, refusedAtFirst, refusedInBoth, refusedInFive } from './malformed.ts';

const wrong = {
  'a lone continuation byte': '61 80 62',
  'a continuation byte too few': 'c3',
  'two bytes for one that needs one': 'c0 af',
  'two bytes for U+0000': 'c0 80',
  'three bytes for one that needs two': 'e0 80 af',
  'four bytes for one that needs three': 'f0 80 80 af',
  'a high surrogate': 'ed a0 80',
  'a low surrogate': 'ed bf bf',
  'a pair of surrogates': 'ed a0 bd ed b8 80',
  'more than U+10FFFF': 'f4 90 80 80',
  'a sequence of five bytes': 'f8 88 80 80 80',
  'the byte 0xFF': '61 ff',
  'U+0000': '61 00 62',
} as const;

const fields: Readonly<
  Record<string, readonly [string, string, boolean, (version: Version, text: Buffer) => Buffer]>
> = {
  'client identifier': [
    'MQTT-3.1.3-4',
    'MQTT-3.1.3-4',
    true,
    (version, clientId) => connectPacket(version, { clientId }),
  ],
  'will topic': [
    'MQTT-3.1.3-10',
    'MQTT-3.1.3-11',
    true,
    (version, topic) => connectPacket(version, { will: { topic } }),
  ],
  'user name': [
    'MQTT-3.1.3-11',
    'MQTT-3.1.3-12',
    true,
    (version, username) => connectPacket(version, { username }),
  ],
  topic: [
    'MQTT-3.3.2-1',
    'MQTT-3.3.2-1',
    false,
    (version, topic) => publishPacket(version, { topic }),
  ],
  'filter of SUBSCRIBE': [
    'MQTT-3.8.3-1',
    'MQTT-3.8.3-1',
    false,
    (version, filter) => subscribePacket(version, 1, [{ filter, options: 0 }]),
  ],
  'filter of UNSUBSCRIBE': [
    'MQTT-3.10.3-1',
    'MQTT-3.10.2-1',
    false,
    (version, filter) => unsubscribePacket(version, 1, [filter]),
  ],
};

/** What holds for text anywhere, and U+0000 in topics and filters [MQTT-4.7.3-2]. */
function clausesOf(field: string, what: string): readonly [string, string] | undefined {
  if (what === 'a high surrogate') return ['MQTT-1.5.3-1', 'MQTT-1.5.4-1'];
  if (what !== 'U+0000') return undefined;
  return /topic|filter/.test(field)
    ? ['MQTT-4.7.3-2', 'MQTT-4.7.3-2']
    : ['MQTT-1.5.3-2', 'MQTT-1.5.4-2'];
}

const inFields = Object.entries(fields).flatMap(([field, [clause311, clause5, isFirst, bytes]]) =>
  Object.entries(wrong).flatMap(([what, digits]) => {
    const clauses = clausesOf(field, what) ?? ([clause311, clause5] as const);
    return (isFirst ? refusedAtFirst : refusedInBoth)(
      clauses,
      `${what} in the ${field} is malformed`,
      (version) => bytes(version, hex(digits)),
      [...either, 0x90, 0x8f, 0x85],
    );
  }),
);

const textProperty = (name: PropertyName, text: Buffer) =>
  Buffer.concat([u8(propertyTable[name][0]), prefixed(text)]);
const pair = (name: Buffer, value: Buffer) =>
  Buffer.concat([u8(0x26), prefixed(name), prefixed(value)]);

const inProperties = Object.entries({
  'Content Type': [
    'MQTT-3.3.2-19',
    (text) => publishPacket(5, { topic: 't', properties: textProperty('contentType', text) }),
  ],
  'Response Topic': [
    'MQTT-3.3.2-13',
    (text) => publishPacket(5, { topic: 't', properties: textProperty('responseTopic', text) }),
  ],
  'name of a user property': [
    'MQTT-1.5.7-1',
    (text) => publishPacket(5, { topic: 't', properties: pair(text, Buffer.from('x')) }),
  ],
  'value of a user property': [
    'MQTT-1.5.7-1',
    (text) => publishPacket(5, { topic: 't', properties: pair(Buffer.from('x'), text) }),
  ],
  'Reason String of DISCONNECT': [
    'MQTT-1.5.4-1',
    (text) => disconnectPacket(0, textProperty('reasonString', text)),
  ],
  'Reason String of PUBREL': [
    'MQTT-1.5.4-1',
    (text) => packet(0x62, u16(1), u8(0), u8(text.length + 3), textProperty('reasonString', text)),
  ],
} satisfies Record<string, readonly [string, (text: Buffer) => Buffer]>).flatMap(
  ([field, [clause, bytes]]) =>
    Object.entries(wrong).map(([what, digits]) =>
      refusedInFive(
        what === 'U+0000' ? 'MQTT-1.5.4-2' : clause,
        `${what} in the ${field} is malformed`,
        bytes(hex(digits)),
        [malformed, 0x82, 0x90],
      ),
    ),
);

const kept = [
  ...['\ufeffbom', 'bom\ufeff', 'zürich/東京/😀', 'a\u0301', 'á', ' space /', '/', 'a//b'].flatMap(
    (topic) =>
      both(
        topic.includes('\ufeff') ? 'MQTT-1.5.3-3' : 'MQTT-4.7.3-4',
        topic.includes('\ufeff') ? 'MQTT-1.5.4-3' : 'MQTT-4.7.3-4',
        `the topic ${JSON.stringify(topic)} arrives as it was sent`,
        connects('s'),
        subscribes('s', topic, 1),
        connects('p'),
        publishes('p', { topic, payload: 'x', qos: 1 }),
        receives('s', { topic, payload: 'x' }),
        hasNothingMore('s'),
      ),
  ),
  ...(
    [
      ['a\u0301', '\u00e1'],
      ['case', 'CASE'],
      ['a', 'a/'],
      ['a', '/a'],
    ] as const
  ).flatMap(([filter, topic]) =>
    both(
      'MQTT-4.7.3-4',
      'MQTT-4.7.3-4',
      `${JSON.stringify(filter)} does not match ${JSON.stringify(topic)}`,
      connects('s'),
      subscribes('s', filter, 1),
      publishes('s', { topic, payload: 'x', qos: 1 }),
      hasNothingMore('s'),
    ),
  ),
  five(
    'MQTT-3.3.2-17',
    'a user property with an empty name and value arrives',
    connects('s'),
    subscribes('s', 't', 0),
    publishes('s', { topic: 't', qos: 1, properties: property('userProperty', [['', '']]) }),
    receives('s', { properties: { userProperty: [['', '']] } }),
  ),
];

export const text = [...inFields, ...inProperties, ...kept];
