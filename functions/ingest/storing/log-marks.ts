// What leads readers to segments: which levels an hour has, and about where a source's newest ones are. Each is written again
// only when it is due, so that it costs next to nothing.
import { LRUCache } from 'lru-cache';
import { hourOf } from '../../segments/segment-key.ts';
import { levelItem, positionItem } from '../../segments/stored-segments.ts';
import type { Item } from '../../table/item.ts';
import type { Part } from './packing.ts';

/** A source's position is so far behind its newest segment at most, in milliseconds. */
export const positionMs = 30_000;
/** Sources whose position is remembered as written. */
const maxSources = 1000;
const daySeconds = 86_400;
/** Segments of an hour can have any retention: so as long as the longest. An hour's items are some bytes. */
const levelDays = 3650;

/** Marks that are due, and what to call once they are written. */
interface Due {
  readonly items: readonly Item[];
  written(): void;
}

/** The marks that one instance has written. */
export class LogMarks {
  #hour = 0;
  readonly #levels = new Set<number>();
  readonly #positions = new LRUCache<string, number>({ max: maxSources });

  /** The marks without which segments of that stamp, made of `parts`, would not be found. */
  due(parts: readonly Part[], stampMs: number, retentionDays: number): Due {
    const hour = hourOf(stampMs);
    const seconds = Math.ceil(stampMs / 1000);
    const levels = new Set<number>();
    const sources = new Set<string>();
    for (const { level, messages } of parts) {
      if (hour !== this.#hour || !this.#levels.has(level)) levels.add(level);
      for (const { source } of messages)
        if (this.#isPositionDue(source, stampMs)) sources.add(source);
    }
    return {
      items: [
        ...Array.from(levels, (level) =>
          levelItem(level, stampMs, seconds + levelDays * daySeconds),
        ),
        ...Array.from(sources, (source) =>
          positionItem(source, stampMs, seconds + retentionDays * daySeconds),
        ),
      ],
      written: () => {
        if (hour !== this.#hour) this.#levels.clear();
        this.#hour = hour;
        for (const level of levels) this.#levels.add(level);
        for (const source of sources) this.#positions.set(source, stampMs);
      },
    };
  }

  #isPositionDue(source: string, stampMs: number): boolean {
    const lastMs = this.#positions.get(source);
    // A clock that was set back makes it due, too.
    return lastMs === undefined || Math.abs(stampMs - lastMs) >= positionMs;
  }
}
