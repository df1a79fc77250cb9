// Why a connection, a try at one, or a PUBLISH or SUBSCRIBE on it has ended, in words.
import { reasonText } from '../packets/reason-codes.ts';
import type { TlsTry } from './tls-try.ts';

/** What went wrong; connection errors to several addresses have no message of their own. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? error.errors : [];
  if (first instanceof Error) return first.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/**
 * Why a try ended before CONNACK, with `error` or without one. `isKnown`: at this address a broker has answered
 * before.
 */
export function beforeConnack(
  error: Error | undefined,
  tls: TlsTry | undefined,
  isKnown: boolean,
): string {
  const fault = tls?.faultOf(error);
  if (fault !== undefined) return fault;
  const isClosed = error === undefined || ('code' in error && error.code === 'ECONNRESET');
  if (!isClosed) return describe(error);
  const closed = 'the broker closed the connection before CONNACK';
  // Without a word, as brokers do on bytes that are no CONNECT to them; or the network was cut.
  return isKnown || tls !== undefined ? closed : `${closed}: there may be TLS at this port`;
}

/** What the broker refused a PUBLISH or SUBSCRIBE with, by the error of MQTT.js: one with a code, or with a SUBACK. */
export function refusalText(error: Error & { code?: unknown; packet?: unknown }): string {
  const granted = (error.packet as { granted?: readonly number[] } | undefined)?.granted;
  const code = granted?.find((each) => each >= 0x80) ?? error.code;
  return typeof code === 'number'
    ? `the broker refused it with ${reasonText(code)}`
    : describe(error);
}
