// Idempotency keys: which commands a key of a caller stands for, decided by the first request that claims it.
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Item } from '../../table/item.ts';
import type { Principal } from '../access/principal.ts';
import type { CommandStore } from './command-store.ts';

/** How long a key is remembered, in hours. */
export const idempotencyHours = 24;

/** A request's key, bound to its caller, and what tells the request from another one. */
export interface Idempotency {
  readonly partition: string;
  readonly requestDigest: string;
}

/** `text` is the body of the request as it was sent. */
export function idempotencyOf(principal: Principal, key: string, text: string): Idempotency {
  // As JSON: no caller's name can end in what looks like a key.
  const partition = `idempotency/${sha256(JSON.stringify([principal.id, key]))}`;
  return { partition, requestDigest: sha256(text) };
}

export type Claim =
  | {
      readonly ok: true /** What the ids of the request's commands are made of. */;
      readonly uuid: string;
    }
  | { readonly ok: false };

/** Claims the key for a request, or finds what it has been claimed with; not ok where by another request. */
export async function claimKey(
  store: CommandStore,
  { partition, requestDigest }: Idempotency,
  uuid: string,
  nowMs: number,
): Promise<Claim> {
  const key: Item = { pk: { S: partition }, sk: { S: 'claim' } };
  const claim: Item = {
    ...key,
    uuid: { S: uuid },
    requestDigest: { S: requestDigest },
    expiresAt: { N: String(Math.floor(nowMs / 1000) + idempotencyHours * 3600) },
  };
  for (;;) {
    if (await store.putOnce(claim)) return { ok: true, uuid };
    const known = await store.item(key);
    // It expired between the two calls.
    if (known === undefined) continue;
    const isSame = known['requestDigest']?.S === requestDigest;
    return isSame ? { ok: true, uuid: known['uuid']?.S ?? uuid } : { ok: false };
  }
}

/** The UUIDs of a request's commands, in order and always the same: each recording gives them the same ids. */
export function uuidsFrom(uuid: string, count: number): string[] {
  const [high = '', low = ''] = uuid.split('-');
  const msecs = Number.parseInt(high + low, 16) + 1;
  return Array.from({ length: count }, (_, index) => {
    if (index === 0) return uuid;
    const random = createHash('sha256').update(`${uuid} ${index}`).digest().subarray(0, 16);
    return uuidv7({ msecs, seq: index, random });
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
