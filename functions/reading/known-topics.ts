// The registry of topics, out of both of its sources: items that single messages keep, and the runs and the tail of what is
// packed, which cost no write of their own.
import { timeText } from '../contract/time.ts';
import { mergedReferences } from '../index-runs/merge.ts';
import { expiryOf, type Reference, summaryOf, timeStepMs } from '../index-runs/reference.ts';
import type { Run } from '../index-runs/run.ts';
import { topicsOf } from '../index-runs/run-reader.ts';
import { hasCommandId } from '../table/command-id.ts';
import type { Deletions } from '../table/deletion.ts';
import type { Item } from '../table/item.ts';
import { knownTopicItem, knownTopicOf } from '../table/known-topic.ts';
import type { SortKeyRange } from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import { compareSortKeys } from '../table/sort-keys.ts';
import type { Step, Steps } from '../table/steps.ts';
import type { LogView } from './log-view.ts';

/** What a run has of a topic, as one reference; of the tail, without a run. */
type RunSummary = Reference & { readonly run?: Run };

/** A packed topic. */
export interface PackedTopic {
  readonly summary: Reference;
  /** What each run that has messages of it has. */
  readonly runs: readonly RunSummary[];
}

export interface PackedTopicsOptions {
  readonly budget?: ReadBudget | undefined;
  readonly deletions: Deletions;
  readonly nowMs: number;
}

/** Packed topics of a range, sorted. */
export async function* packedTopics(
  view: LogView,
  { low: first, high, after }: SortKeyRange,
  { budget, deletions, nowMs }: PackedTopicsOptions,
): AsyncGenerator<PackedTopic, void> {
  const low = after ?? first;
  const tail = (await view.tailTopics()).filter(
    ({ topic }) => compareSortKeys(topic, low) >= 0 && compareSortKeys(topic, high) <= 0,
  );
  const isTold = ({ summary }: PackedTopic) =>
    summary.topic !== after &&
    expiryOf(summary) * 1000 > nowMs &&
    !deletions.hasAllUpTo(summary.topic, summary.lastMs) &&
    // Used by one command or its reply: it would push those of devices out of every list.
    !hasCommandId(summary.topic);
  const { client, tableName, manifest } = view;
  async function* ofRun(run: Run): AsyncGenerator<RunSummary, void> {
    const topics = topicsOf({ client, tableName, budget }, run, { low, high });
    for await (const summary of topics) yield { ...summary, run };
  }
  let topic: PackedTopic | undefined;
  for await (const next of mergedReferences([...manifest.runs.map(ofRun), asIterable(tail)])) {
    const isSame = topic?.summary.topic === next.topic;
    if (topic !== undefined && !isSame && isTold(topic)) yield topic;
    topic = {
      summary: summaryOf(topic?.summary, next),
      runs: [...(isSame && topic ? topic.runs : []), ...(next.run === undefined ? [] : [next])],
    };
  }
  if (topic !== undefined && isTold(topic)) yield topic;
}

async function* asIterable(values: readonly RunSummary[]): AsyncGenerator<RunSummary, void> {
  yield* values;
}

/** Packed topics that are passed over between two looks at the budget. */
const topicsOfLook = 500;

/** Told of each packed topic, and whether the registry has it among those of single messages too. */
export type OnPackedTopic = (topic: PackedTopic, isSingle: boolean) => void;

/** Items of the registry and packed topics as one registry, in the order of its keys. */
export async function* knownTopicSteps(
  items: Steps,
  packed: AsyncGenerator<PackedTopic, void>,
  { budget, onPacked }: { budget?: ReadBudget | undefined; onPacked?: OnPackedTopic | undefined },
): Steps {
  let [item, topic] = await Promise.all([items.next(), packed.next()]);
  for (let count = 1; ; count++) {
    if (item.done === true && !item.value) return false;
    if (item.done === true && topic.done === true) return true;
    const step: Step | undefined = item.done === true ? undefined : item.value;
    const known = topic.done === true ? undefined : topic.value;
    const order = orderOf(step?.key, known?.summary.topic);
    if (order >= 0 && known !== undefined) {
      const single = order === 0 ? step?.item : undefined;
      onPacked?.(known, single !== undefined);
      yield { key: known.summary.topic, item: asItem(known.summary, single) };
      if (count % topicsOfLook === 0 && (await budget?.mayRead()) === false) return false;
    } else if (step !== undefined) yield step;
    [item, topic] = await Promise.all([
      order <= 0 ? items.next() : item,
      order >= 0 ? packed.next() : topic,
    ]);
  }
}

/** Which comes first; what there is not comes last. */
function orderOf(key: string | undefined, topic: string | undefined): number {
  if (key === undefined) return 1;
  return topic === undefined ? -1 : compareSortKeys(key, topic);
}

/** The entry of a packed topic; `single` is that of its single messages, where it has such. */
function asItem({ topic, lastMs, count }: Reference, single: Item | undefined): Item {
  // The time is rounded up, and nothing may seem to have been received before it was.
  const packed = { topic, lastSeen: timeText(lastMs - timeStepMs), messages: count };
  if (single === undefined) return knownTopicItem(packed);
  const known = knownTopicOf(single);
  const messages = known.messages + count;
  // Where the clock has been set back, the newest is the one that was stored last: a single one, until time is past it.
  const isSetBack = known.receivedAfter !== undefined && packed.lastSeen < known.receivedAfter;
  return knownTopicItem(
    isSetBack || known.lastSeen > packed.lastSeen
      ? { ...known, messages }
      : { ...known, lastSeen: packed.lastSeen, messages },
  );
}
