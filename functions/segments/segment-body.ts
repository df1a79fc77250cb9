// The body of a segment: of each message all that is not in the head, column by column; the payloads last, apart from all that is
// more alike than they are.
import type { Message, MessageProperties, QoS } from '../contract/message.ts';
import { jsonOrUndefined } from '../contract/parse.ts';
import { ByteReader, ByteWriter, MalformedBytes } from './bytes.ts';
import { readFrontCoded, writeFrontCoded } from './front-coding.ts';
import { receiptTimeText } from './receipt-time.ts';
import type { Head } from './segment-head.ts';

/** Bits behind the two of the QoS. */
const flags = { retain: 4, packetId: 8, producerId: 16, properties: 32 };

/** What a body is: all columns but the last, and that of the payloads, whose lengths are in the others. */
export interface Body {
  readonly columns: Uint8Array;
  readonly payloads: Uint8Array;
}

export function bodyOf(messages: readonly Message[]): Body {
  return {
    columns: columnsOf(messages),
    payloads: Buffer.concat(messages.map(({ payload }) => payload)),
  };
}

function columnsOf(messages: readonly Message[]): Buffer {
  const writer = new ByteWriter(64 * messages.length + 256);
  const sources = new Map<string, number>();
  for (const { source } of messages) if (!sources.has(source)) sources.set(source, sources.size);
  writer.uint(sources.size);
  for (const source of sources.keys()) writer.text(source);
  if (sources.size > 1)
    for (const { source } of messages) writer.uint(sources.get(source) as number);
  writeFrontCoded(
    writer,
    messages.map(({ id }) => id),
  );
  for (const message of messages) writer.uint(flagsOf(message));
  let lastPacketId = 0;
  for (const { packetId } of messages) {
    if (packetId === undefined) continue;
    writer.int(packetId - lastPacketId);
    lastPacketId = packetId;
  }
  for (const { producerId } of messages) if (producerId !== undefined) writer.text(producerId);
  for (const { properties } of messages)
    if (properties !== undefined) writer.text(propertiesText(properties));
  for (const { payload } of messages) writer.uint(payload.byteLength);
  return writer.finish();
}

function flagsOf(message: Message): number {
  const { qos, retain, packetId, producerId, properties } = message;
  return (
    qos |
    (retain ? flags.retain : 0) |
    (packetId === undefined ? 0 : flags.packetId) |
    (producerId === undefined ? 0 : flags.producerId) |
    (properties === undefined ? 0 : flags.properties)
  );
}

export function readBody({ columns, payloads }: Body, { topics, topicOf, times }: Head): Message[] {
  const reader = new ByteReader(columns);
  const rest = new ByteReader(payloads);
  const count = times.length;
  const sources = reader.list(reader.count(), () => reader.text());
  const sourceOf = sources.length > 1 ? reader.list(count, () => reader.uint()) : undefined;
  const ids = readFrontCoded(reader, count);
  const marks = reader.list(count, () => reader.uint());
  const column = <T>(flag: number, read: () => T) =>
    marks.map((mark) => ((mark & flag) === 0 ? undefined : read()));
  let packetId = 0;
  const packetIds = column(flags.packetId, () => {
    packetId += reader.int();
    return packetId;
  });
  const producerIds = column(flags.producerId, () => reader.text());
  const properties = column(flags.properties, () => propertiesIn(reader.text()));
  const lengths = reader.list(count, () => reader.uint());
  const messages = reader.list(count, (index): Message => {
    const source = sources[sourceOf?.[index] ?? 0];
    if (source === undefined) throw new MalformedBytes('no such source');
    const mark = marks[index] as number;
    return {
      id: ids[index] as string,
      ...optional('producerId', producerIds[index]),
      source,
      topic: topics[topicOf[index] as number] as string,
      time: receiptTimeText(times[index] as Head['times'][number]),
      payload: rest.raw(lengths[index] as number),
      qos: (mark & 3) as QoS,
      retain: (mark & flags.retain) !== 0,
      ...optional('packetId', packetIds[index]),
      ...optional('properties', properties[index]),
    };
  });
  reader.end();
  rest.end();
  return messages;
}

function optional<Name extends keyof Message>(name: Name, value: Message[Name] | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Message[N] };
}

/** Properties as JSON can have them. */
type Packed = Omit<MessageProperties, 'correlationData'> & { readonly correlationData?: string };

function propertiesText({ correlationData, ...rest }: MessageProperties): string {
  return JSON.stringify(
    correlationData === undefined
      ? rest
      : { ...rest, correlationData: Buffer.from(correlationData).toString('base64') },
  );
}

function propertiesIn(text: string): MessageProperties {
  const properties = jsonOrUndefined(text) as Packed | undefined;
  if (properties === undefined) throw new MalformedBytes('no properties');
  const { correlationData, ...rest } = properties;
  return correlationData === undefined
    ? rest
    : { ...rest, correlationData: Buffer.from(correlationData, 'base64') };
}
