// A message's id: made of the producer's own, or minted once and kept over all retries.
import { createHash, randomBytes } from 'node:crypto';
import { idSuffixLength, maxProducerIdBytes } from '../../functions/contract/message.ts';

type UserProperties = readonly (readonly [name: string, value: string])[];

/**
 * The producer's own id: the MQTT 5 user property `id` of a CloudEvent in the MQTT binding's binary mode, which
 * has `specversion` beside it; alone, `id` may as well be the device's name. Undefined where there is none to be kept.
 */
export function producerIdIn(properties: UserProperties | undefined): string | undefined {
  const own = propertyIn('id', properties);
  const isEvent = own !== undefined && propertyIn('specversion', properties) !== undefined;
  return isEvent && isUsable(own) ? own : undefined;
}

/**
 * The id of a message whose producer gave it one. That is unique within the producer's own `source`, at most, and anybody
 * can give it again; the session's source has many producers. So it is made unique by the topic, which a broker can guard,
 * and that source: as a digest of fixed length behind the id, so that no id can be chosen that meets another's.
 */
export function idOfProducer(
  producerId: string,
  topic: string,
  properties: UserProperties | undefined,
): string {
  const within = JSON.stringify([topic, propertyIn('source', properties) ?? '']);
  const digest = createHash('sha256').update(within).digest('base64url');
  return `${producerId}.${digest.slice(0, idSuffixLength - 1)}`;
}

function propertyIn(name: string, properties: UserProperties | undefined): string | undefined {
  return properties?.find(([other]) => other === name)?.[1];
}

/** Random for each process, so that ids of two bridges, or of two lives of one, cannot meet. */
const runId = randomBytes(12).toString('base64url');
let minted = 0;
/** All before the last three digits. */
let start = '';
const lastDigits = Array.from({ length: 1000 }, (_, rest) => `${rest}`.padStart(3, '0'));

/** Counted and not random: 16 random bytes a message cost a third of all its CPU. */
export function mintId(): string {
  const rest = ++minted % 1000;
  if (minted < 1000) return `${runId}-${minted}`;
  // The text of a number is made once for a thousand.
  if (rest === 0) start = `${runId}-${minted / 1000}`;
  return start + lastDigits[rest];
}

function isUsable(id: string): boolean {
  return id !== '' && Buffer.byteLength(id) <= maxProducerIdBytes;
}
