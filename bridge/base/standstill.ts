// Whether something that others renew has stood still: by our own clock, so that nobody's is compared with another's. Pure
// but for its memory.

interface Sighting {
  readonly version: string;
  readonly sinceMs: number;
}

export class Standstill {
  #seen = new Map<string, Sighting>();

  /** To be told all that there is, by the version that each thing has, and when that has been read (monotonic). */
  look(versions: ReadonlyMap<string, string>, nowMs: number): void {
    const seen = new Map<string, Sighting>();
    for (const [id, version] of versions) {
      const before = this.#seen.get(id);
      seen.set(id, before?.version === version ? before : { version, sinceMs: nowMs });
    }
    this.#seen = seen;
  }

  /** For how long it has been seen with this one version; 0 where it never was. */
  stillMs(id: string, version: string, nowMs: number): number {
    const sighting = this.#seen.get(id);
    return sighting?.version === version ? nowMs - sighting.sinceMs : 0;
  }
}
