// The lists whose states are followed, as the caller may see them.
import { timeText } from '../../contract/time.ts';
import type { LedgerEntry } from '../../table/command-item.ts';
import { listedStatuses } from '../../table/command-item.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import type { Principal } from '../access/principal.ts';
import type { RouteControl } from '../bridge-client/route-control.ts';
import { maySee } from '../commands/plan.ts';
import type { Commands } from '../commands/service.ts';
import { commandJson } from '../commands/view.ts';
import { clientJson } from '../presence/endpoints.ts';
import type { PresenceReader } from '../presence/reader.ts';
import { clientsSeenBy } from '../presence/rights.ts';
import type { StateKind, StateList } from './told.ts';

export interface StateSources {
  readonly routes: Pick<RouteControl, 'list'>;
  readonly commands: Pick<Commands, 'list'>;
  readonly presence: Pick<PresenceReader, 'clients'>;
  readonly now?: () => number;
}

/** Whose lists, and which part of them. */
export interface StateSelection {
  readonly principal: Principal;
  /** Commands of this topic; without it those of all topics that failed or expired. */
  readonly topic?: string | undefined;
  /** A topic filter that client ids are matched with. */
  readonly filter: string;
}

/** Reads a list as it is now; undefined where the caller has no right to any of it. */
export type ReadStates = (
  kind: StateKind,
  selection: StateSelection,
  budget: ReadBudget,
) => Promise<StateList | undefined>;

export const maxCommands = 50;
export const maxClients = 1000;
/** The bridge is asked no sooner again, however many readers there are, in milliseconds. */
const sharedMs = 500;

export function createReadStates({
  routes,
  commands,
  presence,
  now = Date.now,
}: StateSources): ReadStates {
  let asked: ReturnType<RouteControl['list']> | undefined;
  let askedMs = Number.NEGATIVE_INFINITY;

  /** One question for all readers of this process. */
  function toldRoutes() {
    if (asked === undefined || performance.now() - askedMs >= sharedMs) {
      askedMs = performance.now();
      asked = routes.list();
    }
    return asked;
  }

  async function routeList(): Promise<StateList> {
    const told = await toldRoutes();
    if (!told.ok) return { problem: told.problem };
    const entries = told.value.map((route) => ({ key: route.name, json: JSON.stringify(route) }));
    return { entries, isComplete: true };
  }

  async function commandList(
    { principal, topic }: StateSelection,
    budget: ReadBudget,
  ): Promise<StateList> {
    const isVisible = (entry: LedgerEntry) => maySee(principal, entry);
    const selection = { limit: maxCommands, budget };
    const pages = await Promise.all(
      topic === undefined
        ? listedStatuses.map((status) => commands.list({ ...selection, status }, isVisible))
        : [commands.list({ ...selection, topic }, isVisible)],
    );
    const newest = pages
      .flatMap(({ entries }) => entries)
      // An id begins with the time.
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return {
      entries: newest
        .slice(0, maxCommands)
        .map((entry) => ({ key: entry.id, json: commandJson(entry) })),
      isComplete: newest.length <= maxCommands && pages.every(({ next }) => next === undefined),
    };
  }

  async function clientList(
    { principal, filter }: StateSelection,
    budget: ReadBudget,
  ): Promise<StateList | undefined> {
    const seen = clientsSeenBy(principal, filter);
    if (seen.filters.length === 0) return undefined;
    const { entries, next } = await presence.clients({ ...seen, limit: maxClients, budget });
    const at = timeText(now());
    return {
      entries: entries.map((state) => ({ key: state.clientId, json: clientJson(state, at) })),
      isComplete: next === undefined,
    };
  }

  return async (kind, selection, budget) => {
    if (kind === 'command') return commandList(selection, budget);
    if (kind === 'client') return clientList(selection, budget);
    return selection.principal.isAdmin ? routeList() : undefined;
  };
}
