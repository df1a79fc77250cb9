// Where commands of all topics stand by what has become of them: those that wait in the queue, others under their status.
import { listedPartition, type StatusOfAllTopics } from '../../table/command-item.ts';
import {
  type ItemSource,
  type ReadOptions,
  readPartition,
  type SortKeyRange,
  unexpired,
} from '../../table/partition.ts';
import {
  queuedIdAt,
  queuePartition,
  queueShardOf,
  queueShards,
} from '../../table/queued-command.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import type { Steps } from '../../table/steps.ts';

export interface StatusKeysOptions {
  /** Commands of a partition that are looked at at most. */
  readonly maxItems: number;
  readonly nowMs: number;
  readonly budget: ReadBudget;
}

export interface StatusKeys {
  readonly steps: Steps;
  /** The id of the command that a key stands for. */
  readonly idOf: (key: string) => string;
}

/** Sort keys by which commands of this status are found, behind `after`. */
export function keysOfStatus(
  source: ItemSource,
  status: StatusOfAllTopics,
  after: string | undefined,
  { maxItems, nowMs, budget }: StatusKeysOptions,
): StatusKeys {
  const range = { low: '0', high: 'g', newestFirst: true, after };
  const options = {
    maxQueries: 1,
    maxItems,
    attributes: 'sk',
    consistent: true,
    filter: unexpired(nowMs),
    budget,
  };
  if (status === 'pending') return { steps: queueSteps(source, range, options), idOf: queuedIdAt };
  const bounded = { ...options, budget: budget.unbounded() };
  return {
    steps: readPartition(source, listedPartition(status), range, bounded),
    idOf: (key) => key,
  };
}

/**
 * The queue, shard by shard: an item may have a payload of 64 KB, which is read, and paid, with its key. So all shards at
 * once would be much more than a request may read.
 */
async function* queueSteps(
  source: ItemSource,
  range: SortKeyRange,
  options: ReadOptions & Pick<StatusKeysOptions, 'budget'>,
): Steps {
  const { after } = range;
  const { budget } = options;
  const begun = after === undefined ? 0 : queueShardOf(queuedIdAt(after));
  let isEmpty = true;
  for (let shard = begun; shard < queueShards; shard++) {
    const steps = readPartition(
      source,
      queuePartition(shard),
      { ...range, after: shard === begun ? after : undefined },
      // A page with nothing in it would have no cursor; an empty shard costs one unit.
      { ...options, budget: isEmpty ? budget.unbounded() : budget },
    );
    for (;;) {
      const { done, value } = await steps.next();
      if (done === true) {
        if (!value) return false;
        break;
      }
      isEmpty = false;
      yield value;
    }
  }
  return true;
}
