// How a row says that a packet is refused: the connection is closed and, on MQTT 5, told why.
import type { Version } from '../client-packets.ts';
import { both, five, type Row } from '../row.ts';
import { connects, isClosed, isClosedSomehow, opens, sends } from '../steps.ts';

export const malformed = 0x81;
export const protocolError = 0x82;
/** For what the standard calls one thing in one place and the other in another. */
export const either = [malformed, protocolError] as const;

type Bytes = Buffer | ((version: Version) => Buffer);
const bytesOf = (bytes: Bytes, version: Version) =>
  Buffer.isBuffer(bytes) ? bytes : bytes(version);

const steps = (bytes: Bytes, reasons: readonly number[]) => [
  connects('c'),
  sends('c', (_, { version }) => bytesOf(bytes, version)),
  isClosed('c', ...reasons),
];

/** Sent by a client that is connected, on either version. */
export const refusedInBoth = (
  [clause311, clause5]: readonly [string, string],
  title: string,
  bytes: Bytes,
  reasons: readonly number[] = either,
): readonly Row[] => both(clause311, clause5, title, ...steps(bytes, reasons));

/** Sent by a client that is connected on MQTT 5. */
export const refusedInFive = (
  clause: string,
  title: string,
  bytes: Bytes,
  reasons: readonly number[] = either,
): Row => five(clause, title, ...steps(bytes, reasons));

/** Sent as the first packet of a connection. */
export const refusedAtFirst = (
  [clause311, clause5]: readonly [string, string],
  title: string,
  bytes: Bytes,
  reasons: readonly number[] = either,
): readonly Row[] =>
  both(
    clause311,
    clause5,
    title,
    opens('c'),
    sends('c', (_, { version }) => bytesOf(bytes, version)),
    isClosed('c', ...reasons),
  );

/** As {@link refusedInBoth}, where the server may leave the reason out. */
export const closedInBoth = (
  [clause311, clause5]: readonly [string, string],
  title: string,
  bytes: Buffer,
): readonly Row[] =>
  both(
    clause311,
    clause5,
    title,
    connects('c'),
    sends('c', bytes),
    isClosedSomehow('c', ...either),
  );
