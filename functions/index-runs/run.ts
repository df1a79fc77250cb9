// A run: references to all that a part of the log holds, sorted by topic, in blocks of a read unit. It is never changed.
import { stampKey } from '../segments/segment-key.ts';
import { expiryOf, type Reference } from './reference.ts';

export interface Run {
  readonly id: string;
  /** 0 for what came in one tick; a merge makes one of the next level. */
  readonly level: number;
  /** Of all its messages: none is older, none newer. Milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The longest time that a reference of it spans, in milliseconds. */
  readonly spanMs: number;
  readonly references: number;
  /** When its last message has expired, and its blocks with it; seconds since 1970. */
  readonly expiresAtSeconds: number;
}

/** What a run is but for its name and level: what can be added up from its references. */
export type Extent = Omit<Run, 'id' | 'level'>;

export const noExtent: Extent = {
  firstMs: Number.POSITIVE_INFINITY,
  lastMs: Number.NEGATIVE_INFINITY,
  spanMs: 0,
  references: 0,
  expiresAtSeconds: 0,
};

export function extended(extent: Extent, reference: Reference): Extent {
  const { firstMs, lastMs } = reference;
  return {
    firstMs: Math.min(extent.firstMs, firstMs),
    lastMs: Math.max(extent.lastMs, lastMs),
    spanMs: Math.max(extent.spanMs, lastMs - firstMs),
    references: extent.references + 1,
    expiresAtSeconds: Math.max(extent.expiresAtSeconds, expiryOf(reference)),
  };
}

/** Partition of the blocks of a run. */
export function blocksPartition(runId: string): string {
  return `index/${runId}`;
}

/** Partition of the directory of a run: one reference a topic, the newest, with the count of all. */
export function directoryPartition(runId: string): string {
  return `index/${runId}/topics`;
}

/** Whether a run has a directory; one of a tick is its own, as it has few references of a topic. */
export function hasDirectory({ level }: Pick<Run, 'level'>): boolean {
  return level > 0;
}

/** Ends a topic in a block's key. No topic has it [MQTT-1.5.4-2], and it sorts before all that topics have. */
const endOfTopic = '\u0000';
/** Sorts behind all digits. */
const behindDigits = '~';
/** Times of more digits are taken as this one: the year 5188. */
const maxKeyMs = 36 ** 9 - 1;
/** 60 million blocks, of 4 KB each. */
const blockDigits = 5;

/** Sort key of a block: its last reference, and its number, so that no two blocks of a run share one. */
export function blockSortKey({ topic, lastMs }: Reference, block: number): string {
  return `${referenceKey(topic, lastMs)}${block.toString(36).padStart(blockDigits, '0')}`;
}

/** The blocks that end at or behind references of a topic of this time begin here. */
export function referenceKey(topic: string, lastMs: number): string {
  return `${topic}${endOfTopic}${stampKey(Math.max(0, Math.min(lastMs, maxKeyMs)))}`;
}

/** Behind all blocks that end with a reference of a topic. */
function behindTopicKey(topic: string): string {
  return `${topic}${endOfTopic}${behindDigits}`;
}

/** Behind all blocks that end with a reference of a topic up to a time. */
export function behindReferenceKey(topic: string, lastMs: number): string {
  return lastMs >= maxKeyMs
    ? behindTopicKey(topic)
    : `${referenceKey(topic, lastMs)}${behindDigits}`;
}

/** Behind every block. */
export const behindAllKey = '\u{10ffff}';

/** The runs that can hold messages of these times. */
export function runsWithin(runs: readonly Run[], fromMs: number, toMs: number): Run[] {
  return runs.filter(({ firstMs, lastMs }) => firstMs <= toMs && lastMs >= fromMs);
}
