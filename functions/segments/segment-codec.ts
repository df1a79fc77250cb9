// A segment: messages as bytes, and back. Its head has what an index needs; the rest, payloads above all, is deflated apart, so
// that an index never inflates it. Touches nothing.
import { crc32 } from 'node:zlib';
import type { Message } from '../contract/message.ts';
import { ByteReader, ByteWriter, deflated, inflated, MalformedBytes } from './bytes.ts';
import { maxPackableBytes } from './packable.ts';
import type { ReceiptTime } from './receipt-time.ts';
import { bodyOf, readBody } from './segment-body.ts';
import { type Head, readHead, topicsOf, writeHead } from './segment-head.ts';

export interface Segment {
  /** Days after its time of receipt at which each message expires. */
  readonly retentionDays: number;
  /** In the order in which they were given; without what is not stored, such as `possibleDuplicate`. */
  readonly messages: readonly Message[];
}

/** A topic in a segment. */
export interface TopicHead {
  readonly topic: string;
  readonly count: number;
  /** The least and the greatest {@link Message.time} of its messages. */
  readonly first: ReceiptTime;
  readonly last: ReceiptTime;
}

export interface SegmentHead {
  readonly retentionDays: number;
  readonly topics: readonly TopicHead[];
}

/**
 * Why bytes are no segment: they are damaged, or of a version that this code does not know. Neither happens while nobody
 * else writes to the table and no older code reads it.
 */
export type SegmentFault = 'damaged' | 'unknown version';

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: SegmentFault };

const version = 1;
/** The version, and the CRC-32 of all that follows. */
const checkedFrom = 5;

/** Bytes of the messages of a segment before they are deflated, as `unpackedBytes` counts them: what reading one may cost. */
export const maxUnpackedBytes = 4 * maxPackableBytes;

/** The bytes of a segment. All messages must be packable, and no more than {@link maxUnpackedBytes}. */
export function encodeSegment({ retentionDays, messages }: Segment): Buffer {
  const head = deflated(writeHead(retentionDays, messages));
  const body = bodyOf(messages);
  // Each apart: what is alike would take more bytes among payloads that are not.
  const [columns, payloads] = [deflated(body.columns), deflated(body.payloads)];
  const writer = new ByteWriter(
    checkedFrom + 16 + head.byteLength + columns.byteLength + payloads.byteLength,
  );
  writer.uint(version);
  writer.raw(Buffer.alloc(checkedFrom - 1));
  writer.block(head);
  writer.block(columns);
  writer.raw(payloads);
  const bytes = writer.finish();
  bytes.writeUInt32LE(crc32(bytes.subarray(checkedFrom)), 1);
  return bytes;
}

/** The messages of a segment. */
export function decodeSegment(bytes: Uint8Array): Decoded<Segment> {
  return decoded(bytes, (head, reader) => {
    const columns = inflated(reader.block(), maxUnpackedBytes);
    const payloads = inflated(reader.raw(reader.left), maxUnpackedBytes);
    return {
      retentionDays: head.retentionDays,
      messages: readBody({ columns, payloads }, head),
    };
  });
}

/** What an index has to know of a segment; inflates no payload. */
export function segmentHead(bytes: Uint8Array): Decoded<SegmentHead> {
  return decoded(bytes, (head) => ({
    retentionDays: head.retentionDays,
    topics: topicsOf(head),
  }));
}

function decoded<T>(bytes: Uint8Array, read: (head: Head, rest: ByteReader) => T): Decoded<T> {
  try {
    const reader = new ByteReader(bytes);
    if (reader.uint() !== version) return { ok: false, fault: 'unknown version' };
    const checksum = reader.raw(checkedFrom - 1).readUInt32LE();
    if (checksum !== crc32(bytes.subarray(checkedFrom))) return { ok: false, fault: 'damaged' };
    const head = readHead(new ByteReader(inflated(reader.block(), maxUnpackedBytes)));
    return { ok: true, value: read(head, reader) };
  } catch (error) {
    if (error instanceof MalformedBytes) return { ok: false, fault: 'damaged' };
    throw error;
  }
}
