// What a look at the registry has found out about packed topics, for who reads their newest messages next.
import type { PackedTopic } from './known-topics.ts';

interface SeenTopic extends Pick<PackedTopic, 'runs'> {
  /** Whether it has single messages, too. */
  readonly isSingle: boolean;
}

/** As many as a page of the registry has at most; of more the first are forgotten. */
const maxTopics = 1000;

export class SeenTopics {
  readonly #topics = new Map<string, SeenTopic>();

  note({ summary, runs }: PackedTopic, isSingle: boolean): void {
    this.#topics.set(summary.topic, { runs, isSingle });
    if (this.#topics.size <= maxTopics) return;
    const [first] = this.#topics.keys();
    if (first !== undefined) this.#topics.delete(first);
  }

  of(topic: string): SeenTopic | undefined {
    return this.#topics.get(topic);
  }
}
