// Which topics write more than one key of the table takes, by measured rate. Touches nothing.

/**
 * A partition key takes 1,000 write units a second. As many functions as requests may be in flight share a topic's
 * messages, each of which sees its part: so a quarter of that is much.
 */
const unitsPerSecond = 250;
/** What may come at once. */
const burstUnits = 500;
/** The level that a rate reaches at most, so that a topic is not hot for long after it was. */
const maxLevel = 10 * burstUnits;
const maxTopics = 10_000;

/** DynamoDB counts a write by its KB; keys and attributes take some of it. */
export function writeUnitsOf(payloadBytes: number): number {
  return Math.ceil((payloadBytes + 300) / 1024);
}

interface Level {
  units: number;
  atMs: number;
}

export class HotTopics {
  readonly #levels = new Map<string, Level>();

  /** Counts a write; says whether its topic writes too much. */
  add(topic: string, units: number, nowMs: number): boolean {
    const before = this.#levels.get(topic);
    const level = before ?? { units: 0, atMs: nowMs };
    // A clock that is set back takes nothing away, and adds nothing.
    const drained = (Math.max(0, nowMs - level.atMs) / 1000) * unitsPerSecond;
    level.units = Math.min(maxLevel, Math.max(0, level.units - drained) + units);
    level.atMs = nowMs;
    if (before === undefined) this.#remember(topic, level);
    return level.units > burstUnits;
  }

  #remember(topic: string, level: Level): void {
    const [first] = this.#levels.size >= maxTopics ? this.#levels.keys() : [];
    if (first !== undefined) this.#levels.delete(first);
    this.#levels.set(topic, level);
  }
}
