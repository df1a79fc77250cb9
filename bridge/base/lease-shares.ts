// Which bridge is to have which of the leases that several share: each as many as any other, to within one. Pure: every bridge
// comes to the same answer from the same table, and only that which has to move for it moves.

/** A lease that any of the bridges may have. */
export interface SharedLease {
  readonly name: string;
  readonly route: string;
  /** One of the bridges; undefined where it is free. */
  readonly holder: string | undefined;
}

export interface Shares {
  /** For each lease that is free, the bridge that is to take it. */
  readonly takers: ReadonlyMap<string, string>;
  /** The leases that one has to give up, one of which is enough for now; none while others are free. */
  readonly surplus: ReadonlyMap<string, readonly string[]>;
}

/** Leases of a bridge, and of each of its routes. */
class Load {
  readonly id: string;
  total = 0;
  readonly #ofRoute = new Map<string, number>();

  constructor(id: string) {
    this.id = id;
  }

  of(route: string): number {
    return this.#ofRoute.get(route) ?? 0;
  }

  add(route: string): void {
    this.total++;
    this.#ofRoute.set(route, this.of(route) + 1);
  }
}

export function sharesOf(leases: readonly SharedLease[], bridges: Iterable<string>): Shares {
  const loads = new Map([...bridges].sort().map((id) => [id, new Load(id)]));
  for (const { holder, route } of leases) if (holder !== undefined) loads.get(holder)?.add(route);
  const takers = new Map<string, string>();
  const free = leases.filter(({ holder }) => holder === undefined).sort(byName);
  for (const { name, route } of free) {
    const taker = least(
      [...loads.values()],
      ({ total }) => total,
      (load) => load.of(route),
    );
    if (taker === undefined) break;
    taker.add(route);
    takers.set(name, taker.id);
  }
  // What is free is taken first: so one that nobody takes cannot draw others after it.
  return { takers, surplus: free.length > 0 ? new Map() : surplusOf(leases, [...loads.values()]) };
}

function surplusOf(leases: readonly SharedLease[], loads: readonly Load[]): Map<string, string[]> {
  const surplus = new Map<string, string[]>();
  const totals = new Map(loads.map(({ id, total }) => [id, total]));
  const totalOf = (id: string) => totals.get(id) ?? 0;
  for (;;) {
    const from = least(loads, ({ id }) => -totalOf(id));
    const to = least(loads, ({ id }) => totalOf(id));
    if (from === undefined || to === undefined || totalOf(from.id) - totalOf(to.id) < 2) break;
    totals.set(from.id, totalOf(from.id) - 1);
    totals.set(to.id, totalOf(to.id) + 1);
    if (surplus.has(from.id)) continue;
    // Of the route that the other one has the fewest of, next to this one: routes differ in what they have to do.
    const own = leases.filter(({ holder }) => holder === from.id).sort(byName);
    const gap = ({ route }: SharedLease) => to.of(route) - from.of(route);
    surplus.set(
      from.id,
      own.sort((a, b) => gap(a) - gap(b)).map(({ name }) => name),
    );
  }
  return surplus;
}

/** The first of those that are least by one measure, and then by the next. */
function least<T>(all: readonly T[], ...measures: readonly ((each: T) => number)[]): T | undefined {
  let found: T | undefined;
  for (const each of all) {
    const difference =
      found === undefined ? -1 : firstDifference(measures.map((of) => of(each) - of(found as T)));
    if (difference < 0) found = each;
  }
  return found;
}

const firstDifference = (differences: readonly number[]) =>
  differences.find((difference) => difference !== 0) ?? 0;

const byName = (a: SharedLease, b: SharedLease) => (a.name < b.name ? -1 : 1);
