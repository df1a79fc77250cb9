// Why a connection, or a try at one, has ended, in words.
import type { TlsTry } from './tls-try.ts';

/** What went wrong; connection errors to several addresses have no message of their own. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? error.errors : [];
  if (first instanceof Error) return first.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Why a try ended before CONNACK, with `error` or without one. */
export function beforeConnack(error: Error | undefined, tls: TlsTry | undefined): string {
  const fault = tls?.faultOf(error);
  if (fault !== undefined) return fault;
  const isClosed = error === undefined || ('code' in error && error.code === 'ECONNRESET');
  if (!isClosed) return describe(error);
  // Without a word, as brokers do on bytes that are no CONNECT to them.
  return 'the broker closed the connection before CONNACK: there may be TLS at this port';
}
