// Cursors: where a list goes on, opaque to callers and bound to the list that gave them out.
import { createHash } from 'node:crypto';

const digestLength = 8;

function digest(list: string, key: string): Buffer {
  return createHash('sha256').update(`${list}\n${key}`).digest().subarray(0, digestLength);
}

/** A cursor that goes on after `key` in `list`, a text that names the list and all its parameters. */
export function encodeCursor(list: string, key: string): string {
  return Buffer.concat([digest(list, key), Buffer.from(key, 'utf8')]).toString('base64url');
}

/** The key in a cursor, or undefined where it is malformed or of another list. */
export function decodeCursor(list: string, cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length <= digestLength || bytes.toString('base64url') !== cursor) return undefined;
  const key = bytes.subarray(digestLength).toString('utf8');
  return digest(list, key).equals(bytes.subarray(0, digestLength)) ? key : undefined;
}
