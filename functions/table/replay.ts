// A replay: what has been stored, or what is among the dead letters, once more to a handler. The api records it, the bridge
// works it off, and both tell how far it is from the one item that this file describes.
import * as z from 'zod';
import { type Item, textAt } from './item.ts';

/** Partition of all replays; their ids sort by time. */
export const replaysPartition = 'replays';

/** Seconds after which a replay is forgotten, counted from when it was asked for. */
export const replaySeconds = 30 * 86_400;

export const replayStatuses = [
  'pending',
  'counting',
  'sending',
  'done',
  'cancelled',
  'failed',
] as const;
export type ReplayStatus = (typeof replayStatuses)[number];

/** Maximum refusals that are told one by one; all are counted. */
export const maxRefusals = 20;
/** Longest topic, id and reason of a refusal, in characters. */
export const maxRefusalText = 256;

const requestSchema = z.object({
  source: z.enum(['messages', 'dead-letters']),
  /** Topic filter. */
  filter: z.string(),
  /** First time of receipt that belongs to it, and first that no longer does; RFC 3339, UTC, microseconds. */
  from: z.string().optional(),
  to: z.string().optional(),
  /** Of messages the route that gets them; of dead letters the one that they came by, or any. */
  route: z.string().optional(),
  /** Of dead letters: only those with this whole reason. */
  deadLetterReason: z.string().optional(),
  messagesPerSecond: z.number(),
  /** Counts only. */
  dryRun: z.boolean(),
});

const progressSchema = z.object({
  /** How many there are; while they are counted, how many have been found. */
  total: z.number(),
  delivered: z.number(),
  /** The handler would not take them. */
  refused: z.number(),
  refusals: z.array(z.object({ topic: z.string(), id: z.string(), reason: z.string() })),
  /** Why it does not go on just now. */
  waiting: z.string().optional(),
  /** Why it failed. */
  reason: z.string().optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  /** Done up to here: the sort key of a topic in the registry, and of a message of it; or of a dead letter alone. */
  position: z.object({ topic: z.string().optional(), key: z.string().optional() }).optional(),
});

export type ReplayRequest = z.output<typeof requestSchema>;
export type ReplayProgress = z.output<typeof progressSchema>;
export type ReplayPosition = NonNullable<ReplayProgress['position']>;
export type Refusal = ReplayProgress['refusals'][number];

export interface Replay {
  readonly id: string;
  readonly status: ReplayStatus;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly request: ReplayRequest;
  readonly progress: ReplayProgress;
}

export const noProgress: ReplayProgress = { total: 0, delivered: 0, refused: 0, refusals: [] };

export function replayKey(id: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: replaysPartition }, sk: { S: id } };
}

export function replayItem({ id, status, createdAt, request, progress }: Replay): Item {
  return {
    ...replayKey(id),
    // Apart from the rest: writes are conditional on it.
    status: { S: status },
    createdAt: { S: createdAt },
    request: { S: JSON.stringify(request) },
    progress: { S: JSON.stringify(progress) },
    expiresAt: { N: String(Math.floor(Date.parse(createdAt) / 1000) + replaySeconds) },
  };
}

/** The replay that an item stores. Throws where it is none: that is a bug or a foreign write. */
export function replayOf(item: Item): Replay {
  return {
    id: textAt(item, 'sk'),
    status: z.enum(replayStatuses).parse(textAt(item, 'status')),
    createdAt: textAt(item, 'createdAt'),
    request: requestSchema.parse(JSON.parse(textAt(item, 'request'))),
    progress: progressSchema.parse(JSON.parse(textAt(item, 'progress'))),
  };
}

/** The condition that a replay has not ended: a cancellation is not overwritten, and does not overwrite the end. */
export const stillActive = {
  expression: '#status IN (:pending, :counting, :sending)',
  names: { '#status': 'status' },
  values: {
    ':pending': { S: 'pending' },
    ':counting': { S: 'counting' },
    ':sending': { S: 'sending' },
  },
};

/** The part of a query that finds the replays that have not ended. */
export const activeReplays = {
  KeyConditionExpression: 'pk = :pk',
  FilterExpression: stillActive.expression,
  ExpressionAttributeNames: stillActive.names,
  ExpressionAttributeValues: { ':pk': { S: replaysPartition }, ...stillActive.values },
};
