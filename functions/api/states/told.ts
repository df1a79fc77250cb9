// What a reader of states has been told, and what it has to be told next: lists as a whole where it does not have them,
// and after that each entry that has changed. A state is told as it is now; what it was in between is history.
import { createHash } from 'node:crypto';
import type { Problem } from '../../contract/problem.ts';
import { event } from '../live/events.ts';

/** Each kind of state, with the name of its list: `event: routes` has all, and `event: route` one that has changed. */
export const listNames = { route: 'routes', command: 'commands', client: 'clients' } as const;

export type StateKind = keyof typeof listNames;

export const stateKinds = Object.keys(listNames) as readonly StateKind[];

export interface StateEntry {
  readonly key: string;
  /** As the list has it. */
  readonly json: string;
}

/** A list as it is now, or why it cannot be read. */
export type StateList =
  | { readonly entries: readonly StateEntry[]; readonly isComplete: boolean }
  | { readonly problem: Problem };

interface Known {
  /** Of the list as a whole. */
  readonly digest: string;
  /** Of each entry by its key; undefined where there are none, or the reader had them before it came back. */
  readonly entries?: ReadonlyMap<string, string>;
  readonly isComplete?: boolean;
}

const digestLength = 16;
const digest = (text: string) =>
  createHash('sha256').update(text).digest('base64url').slice(0, digestLength);

const part = `(?:${stateKinds.join('|')})\\.[\\w-]{${digestLength}}`;

/** A cursor names each list that its reader has, by a digest of what is in it. */
export const cursorPattern = new RegExp(`^${part}(?:\\.${part}){0,${stateKinds.length - 1}}$`);

export class ToldStates {
  readonly #known = new Map<StateKind, Known>();

  /** Of a reader that has nothing, or has what the cursor stands for. */
  constructor(cursor = '') {
    const parts = cursor.split('.');
    for (const kind of stateKinds) {
      const known = parts[parts.indexOf(kind) + 1];
      if (parts.includes(kind) && known !== undefined) this.#known.set(kind, { digest: known });
    }
  }

  get #cursor(): string {
    return Array.from(this.#known, ([kind, known]) => `${kind}.${known.digest}`).join('.');
  }

  /** The events that bring the reader to these lists, the last of them with the cursor; none where it has them. */
  tell(lists: ReadonlyMap<StateKind, StateList>): string {
    const events: (readonly [name: string, data: string])[] = [];
    for (const [kind, list] of lists) events.push(...this.#changes(kind, list));
    return events
      .map(([name, data], index) =>
        // Who is cut off in the middle goes on before all of them.
        event(name, data, index === events.length - 1 ? this.#cursor : undefined),
      )
      .join('');
  }

  *#changes(kind: StateKind, list: StateList): Generator<readonly [name: string, data: string]> {
    const before = this.#known.get(kind);
    const whole = textOf(kind, list);
    const now: Known = {
      digest: digest(whole),
      ...('entries' in list && {
        entries: new Map(list.entries.map(({ key, json }) => [key, digest(json)])),
        isComplete: list.isComplete,
      }),
    };
    this.#known.set(kind, now);
    if (now.digest === before?.digest) return;
    if ('problem' in list) return yield ['problem', whole];
    const isThere = (key: string) => now.entries?.has(key) === true;
    // What has left a list is in no event of its own, nor what no longer fits into it: the list is told again.
    if (
      before?.entries === undefined ||
      before.isComplete !== now.isComplete ||
      ![...before.entries.keys()].every(isThere)
    )
      return yield [listNames[kind], whole];
    for (const { key, json } of list.entries)
      if (before.entries.get(key) !== now.entries?.get(key)) yield [kind, json];
  }
}

function textOf(kind: StateKind, list: StateList): string {
  if ('problem' in list) return JSON.stringify({ kind, problem: list.problem });
  const all = list.entries.map(({ json }) => json).join(',');
  return `{"${listNames[kind]}":[${all}],"isComplete":${list.isComplete}}`;
}
