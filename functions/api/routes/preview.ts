// What `where` and `transform` would make of stored messages: read and evaluated within bounds, and nothing is sent.

import type { Message } from '../../contract/message.ts';
import { matchesFilter } from '../../contract/topic.ts';
import type { Evaluator, Outcome } from '../../expression/evaluator.ts';
import { expressionLimits } from '../../expression/limits.ts';
import type { Expressions } from '../../expression/thread.ts';
import {
  DamagedMessage,
  type StoredMessages,
  timeRange,
  wholeBytesOf,
} from '../../reading/stored-messages.ts';
import { knownTopicOf } from '../../table/known-topic.ts';
import type { ReadBudget } from '../../table/read-budget.ts';

export interface PreviewRequest extends Expressions {
  readonly filter: string;
  /** First time of receipt that belongs to it, and first that no longer does; RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Messages that are read at most. */
  readonly maxMessages: number;
}

export interface Preview {
  /** How many messages were read, and what became of them. */
  readonly read: number;
  readonly passed: number;
  readonly dropped: number;
  readonly failed: number;
  /** Whether there are no others. */
  readonly isComplete: boolean;
  /** The first that passed, as the handler would get them. */
  readonly results: readonly Message[];
  readonly failures: readonly {
    readonly topic: string;
    readonly id: string;
    readonly reason: string;
  }[];
}

export interface PreviewOptions {
  readonly stored: StoredMessages;
  readonly evaluatorOf: (expressions: Expressions) => Evaluator;
  /** Of the caller; what is read is booked to it. */
  readonly budget: ReadBudget;
}

/** Results, and failures, that are told one by one. */
const maxTold = 10;
/** Newest messages of a topic that are read: another may be the one that matters. */
const maxOfTopic = 1000;
/** Time for all; API Gateway waits for 30 seconds. */
const maxMs = 10_000;
const maxQueries = 20;
const { maxJobMessages, maxJobBytes, maxPayloadBytes, maxResultBytes } = expressionLimits;

export async function preview(
  { filter, from, to, maxMessages, where, transform }: PreviewRequest,
  { stored, evaluatorOf, budget }: PreviewOptions,
): Promise<Preview> {
  const counts = { read: 0, passed: 0, dropped: 0, failed: 0 };
  const results: Message[] = [];
  const failures: Preview['failures'][number][] = [];
  const endMs = performance.now() + maxMs;
  const evaluator = evaluatorOf({ where, transform });
  let isComplete = true;
  let batch: Message[] = [];
  let batchBytes = 0;

  function note(message: Message, outcome: Outcome): void {
    counts[outcome.kind]++;
    if (outcome.kind === 'passed' && results.length < maxTold) results.push(outcome.message);
    if (outcome.kind === 'failed' && failures.length < maxTold)
      failures.push({ topic: message.topic, id: message.id, reason: outcome.reason });
  }

  async function evaluateBatch(): Promise<void> {
    while (batch.length > 0 && performance.now() < endMs) {
      const outcomes = await evaluator.evaluate(batch, maxTold * maxResultBytes);
      for (const [index, outcome] of outcomes.entries()) note(batch[index] as Message, outcome);
      batch = batch.slice(outcomes.length);
    }
    if (batch.length > 0) isComplete = false;
    counts.read -= batch.length;
    batch = [];
    batchBytes = 0;
  }

  const mayGoOn = async () =>
    counts.read < maxMessages && performance.now() < endMs && (await budget.isPaid());

  async function readTopic(topic: string): Promise<void> {
    const range = { ...timeRange(from, to), newestFirst: true };
    const maxItems = Math.min(maxOfTopic, maxMessages - counts.read);
    const bounds = { maxQueries, maxItems, firstItems: maxJobMessages, budget: budget.unbounded() };
    const steps = stored.messageSteps(topic, range, bounds);
    for (let read = 0; ; read++) {
      const { done, value } = await steps.next();
      if (done === true) {
        if (!value) isComplete = false;
        return;
      }
      if (value.item === undefined) continue;
      if (read >= maxItems || !(await mayGoOn())) {
        isComplete = false;
        return;
      }
      counts.read++;
      const bytes = wholeBytesOf(value.item);
      // Not even read: no expression takes it.
      const message = bytes > 2 * maxPayloadBytes ? undefined : await wholeOf(value.item);
      if (message === undefined) {
        counts.failed++;
        continue;
      }
      batch.push(message);
      batchBytes += bytes;
      if (batch.length >= maxJobMessages || batchBytes >= maxJobBytes) await evaluateBatch();
    }
  }

  async function wholeOf(item: Parameters<StoredMessages['whole']>[0]) {
    try {
      return await stored.whole(item, budget.unbounded());
    } catch (error) {
      if (!(error instanceof DamagedMessage)) throw error;
      return undefined;
    }
  }

  try {
    const bounds = { maxQueries, budget: budget.unbounded() };
    const topics = stored.topicSteps([filter], undefined, bounds);
    for (;;) {
      const { done, value } = await topics.next();
      if (done === true) {
        if (!value) isComplete = false;
        break;
      }
      if (value.item === undefined) continue;
      const { topic } = knownTopicOf(value.item);
      if (!matchesFilter(filter, topic)) continue;
      if (!(await mayGoOn())) {
        isComplete = false;
        break;
      }
      await readTopic(topic);
    }
    await evaluateBatch();
  } finally {
    await evaluator.close();
  }
  return { ...counts, isComplete, results, failures };
}
