// What is measured in which order: rounds, so that every subject sees the machine at its best and worst moments alike.
import {
  type DrainFigures,
  type LatencyFigures,
  type LossFigures,
  measureDrain,
  measureLatency,
  measureLoss,
} from './measure.ts';
import { allowedText, describe, drainText, latencyText } from './progress-text.ts';
import type { Subject } from './subject.ts';
import { undisturbed } from './undisturbed.ts';

/** The handler latency at which the time to stored and the memory are measured. */
export const loadedLatencyMs = 20;

export interface Plan {
  readonly rounds: number;
  readonly subjects: readonly Subject[];
  readonly latencySeconds: number;
  /** Over how many topics the time to stored is measured, in turn; of those that acknowledge on receipt, over the first. */
  readonly latencyTopics: readonly number[];
  /** Wait for a quiet machine, and measure again where it did not stay so. */
  readonly insistOnQuiet: boolean;
  /** Backlog of the measurement of losses, once; 0 for none. */
  readonly lossMessages: number;
  /** The subject whose time to stored is measured while few messages come, and how many come. */
  readonly light: { readonly subject: Subject; readonly messagesPerSecond: number };
  /** The large backlog, and who drains it: a drain of a second or two has in it how code is compiled that then runs for weeks. */
  readonly long: { readonly subjects: readonly Subject[]; readonly messages: number };
}

export type Measurement = { readonly round: number; readonly subject: string } & (
  | ({ readonly kind: 'drain'; readonly handlerLatencyMs: number } & DrainFigures)
  | ({
      readonly kind: 'latency';
      readonly handlerLatencyMs: number;
      readonly topics: number;
    } & LatencyFigures)
  | ({ readonly kind: 'long drain'; readonly handlerLatencyMs: number } & DrainFigures)
  | ({ readonly kind: 'loss' } & LossFigures)
  | ({ readonly kind: 'light' } & LatencyFigures)
);

/** Yields all measurements so far after each round. */
export async function* runRounds(
  plan: Plan,
  progress: (line: string) => void,
): AsyncGenerator<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  const carefully = plan.insistOnQuiet ? undisturbed : <T>(measure: () => Promise<T>) => measure();
  const [first] = plan.subjects;

  /** A peer that fails is not measured there, and all others are. */
  async function attempt<T>(
    { name, clientId }: Subject,
    measure: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await measure();
    } catch (error) {
      if (clientId === first?.clientId) throw error;
      progress(`${name}: not measured: ${error}`);
      return undefined;
    }
  }

  const drained = (subject: Subject, handlerLatencyMs: number, messages?: number) =>
    attempt(subject, () => carefully(() => measureDrain(subject, handlerLatencyMs, messages)));

  for (let round = 1; round <= plan.rounds; round++) {
    /** Half of what the first subject delivers, so that the others are measured at the same rate. */
    let maxPerSecond = Number.POSITIVE_INFINITY;
    for (const subject of plan.subjects) {
      const of = { round, subject: subject.name };
      for (const handlerLatencyMs of subject.handlerLatenciesMs) {
        const figures = await drained(subject, handlerLatencyMs);
        if (figures === undefined) continue;
        measurements.push({ ...of, kind: 'drain', handlerLatencyMs, ...figures });
        progress(
          `${describe(of)}, handler ${handlerLatencyMs} ms: ${drainText(figures)}${allowedText(subject, handlerLatencyMs, figures)}`,
        );
        if (handlerLatencyMs !== loadedLatencyMs) continue;
        const half = figures.messagesPerSecond / 2;
        if (subject === first) maxPerSecond = half;
        const messagesPerSecond = Math.min(half, maxPerSecond);
        const isSafe = subject.acknowledges === 'when stored';
        for (const topics of isSafe ? plan.latencyTopics : plan.latencyTopics.slice(0, 1)) {
          const pace = { messagesPerSecond, topics };
          const latency = await attempt(subject, () =>
            carefully(() => measureLatency(subject, handlerLatencyMs, pace, plan.latencySeconds)),
          );
          if (latency === undefined) continue;
          measurements.push({ ...of, kind: 'latency', handlerLatencyMs, topics, ...latency });
          progress(
            `${describe(of)}, ${topics.toLocaleString('en')} topics: ${latencyText(latency)}`,
          );
        }
      }
    }
    if (round === 1 && plan.lossMessages > 0)
      for (const subject of plan.subjects.filter(({ acknowledges }) =>
        deliversHttp(acknowledges),
      )) {
        const of = { round, subject: subject.name };
        const figures = await attempt(subject, () => measureLoss(subject, plan.lossMessages));
        if (figures === undefined) continue;
        measurements.push({ ...of, kind: 'loss', ...figures });
        progress(
          `${describe(of)}: of ${figures.messages} lost ${figures.lostOnKill} when killed, ${figures.lostInOutage} in an outage`,
        );
      }
    const [topics = 1] = plan.latencyTopics;
    const { subject, messagesPerSecond } = plan.light;
    const light = await carefully(() =>
      measureLatency(subject, 0, { messagesPerSecond, topics }, plan.latencySeconds),
    );
    measurements.push({ round, subject: subject.name, kind: 'light', ...light });
    progress(`${describe({ round, subject: subject.name })}: ${latencyText(light)}`);
    for (const subject of plan.long.subjects)
      for (const handlerLatencyMs of subject.handlerLatenciesMs) {
        const of = { round, subject: subject.name };
        const figures = await drained(subject, handlerLatencyMs, plan.long.messages);
        if (figures === undefined) continue;
        measurements.push({ ...of, kind: 'long drain', handlerLatencyMs, ...figures });
        progress(
          `${describe(of)}, ${plan.long.messages.toLocaleString('en')} messages, handler ${handlerLatencyMs} ms: ${drainText(figures)}`,
        );
      }
    yield measurements;
  }
}

const deliversHttp = (acknowledges: Subject['acknowledges']) =>
  acknowledges !== 'on receipt, no HTTP';
