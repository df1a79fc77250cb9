// The laws of the plan, on a model of broker and ledger: sessions take their steps in any order, bridges are killed between
// any two of them, and configs follow each other.

import { describe, expect, test } from 'vitest';
import {
  filterText,
  type LedgerSubscription,
  type SessionEntry,
  type Subscription,
} from '../../../bridge/session-ledger/entry.ts';
import {
  fateOf,
  isGrantedAs,
  mayLeave,
  planSubscriptions,
  type WantedSession,
  waitsFor,
  withDoubtful,
  withoutSubscriptions,
  withSubscription,
} from '../../../bridge/session-ledger/plan.ts';
import { fc } from '../../support/property.ts';

interface Config {
  readonly route: string;
  readonly connections: number;
}

/** All of them want the same messages for the same handler: at no time may nobody get them. */
const filter = 'a/#';

function wantedBy({ route, connections }: Config): WantedSession[] {
  return Array.from({ length: connections }, (_, index) => ({
    clientId: `${route}-${index}`,
    lease: `${route}-${index}`,
    route,
    target: 'same filter and handler',
    subscription: { filter, ...(connections > 1 && { group: route }), qos: 1 },
  }));
}

class Model {
  /** Subscriptions of each session at the broker. */
  readonly broker = new Map<string, Set<string>>();
  readonly ledger = new Map<string, SessionEntry>();
  wanted: readonly WantedSession[] = [];
  /** What each session does, step by step; some steps have to wait. */
  #running = new Map<string, Generator<undefined | 'waits'>>();

  start(config: Config, version: 4 | 5): void {
    this.wanted = wantedBy(config);
    this.#running = new Map();
    for (const session of this.wanted)
      this.#running.set(session.clientId, this.#keep(session, version));
    for (const entry of this.ledger.values())
      if (fateOf(entry, this.wanted).kind !== 'wanted')
        this.#running.set(entry.clientId, this.#leave(entry.clientId));
  }

  /** One step of one session; false where all have ended, or wait. */
  step(choice: number): boolean {
    const names = [...this.#running.keys()];
    for (let tried = 0; tried < names.length; tried++) {
      const name = names[(choice + tried) % names.length] ?? '';
      const { value, done } = this.#running.get(name)?.next() ?? { done: true };
      if (done) this.#running.delete(name);
      if (value !== 'waits') return true;
    }
    return false;
  }

  get entries(): SessionEntry[] {
    return [...this.ledger.values()];
  }

  get subscribed(): string[] {
    return [...this.broker.values()].flatMap((filters) => [...filters]);
  }

  *#keep(session: WantedSession, protocolVersion: 4 | 5): Generator<undefined | 'waits'> {
    const { clientId, lease, route, target, subscription } = session;
    const fresh: SessionEntry = {
      clientId,
      lease,
      route,
      target,
      brokerHost: '',
      subscriptions: [],
      formerFilters: [],
    };
    if (!this.ledger.has(clientId)) this.ledger.set(clientId, fresh);
    yield undefined;
    const sessionPresent = this.broker.has(clientId);
    const at = this.#sessionAt(clientId);
    while (waitsFor(session, this.entries, this.wanted).length > 0) yield 'waits';
    const known = this.ledger.get(clientId);
    const entry: SessionEntry = {
      ...fresh,
      subscriptions: sessionPresent ? (known?.subscriptions ?? []) : [],
    };
    const plan = planSubscriptions(entry.subscriptions, subscription, {
      protocolVersion,
      sessionPresent,
    });
    const doubtful = withDoubtful(entry, plan.unsubscribe);
    const isGranted = entry.subscriptions.some((each) => isGrantedAs(each, subscription));
    this.ledger.set(
      clientId,
      isGranted ? doubtful : withSubscription(doubtful, subscription, 'asked'),
    );
    yield undefined;
    // In one write.
    if (plan.subscribe) at.add(filterText(plan.subscribe));
    for (const each of plan.unsubscribe) at.delete(filterText(each));
    yield undefined;
    this.ledger.set(
      clientId,
      withoutSubscriptions(withSubscription(entry, subscription, 'granted'), plan.unsubscribe),
    );
  }

  *#leave(clientId: string): Generator<undefined | 'waits'> {
    const at = this.#sessionAt(clientId);
    for (;;) {
      const entry = this.ledger.get(clientId);
      if (entry === undefined) return;
      if (entry.subscriptions.length === 0) break;
      const leaving = entry.subscriptions.filter((each) =>
        mayLeave(entry, each, this.entries, this.wanted),
      );
      if (leaving.length > 0) {
        this.ledger.set(clientId, withDoubtful(entry, leaving));
        yield undefined;
        for (const each of leaving) at.delete(filterText(each));
        yield undefined;
        this.ledger.set(
          clientId,
          withoutSubscriptions(this.ledger.get(clientId) ?? entry, leaving),
        );
        yield undefined;
      } else if (entry.isHandingOver !== true) {
        this.ledger.set(clientId, { ...entry, isHandingOver: true });
        yield undefined;
      } else yield 'waits';
    }
    this.broker.delete(clientId);
    yield undefined;
    this.ledger.delete(clientId);
  }

  #sessionAt(clientId: string): Set<string> {
    const at = this.broker.get(clientId) ?? new Set();
    this.broker.set(clientId, at);
    return at;
  }
}

const config = fc.record({
  route: fc.constantFrom('old', 'new'),
  connections: fc.integer({ min: 1, max: 3 }),
});
const life = fc.record({ config, steps: fc.array(fc.nat(20), { maxLength: 40 }) });

test('somebody is subscribed at any time, the ledger knows of all, and the end is what the config says', () => {
  fc.assert(
    fc.property(
      config,
      fc.array(life, { maxLength: 8 }),
      config,
      fc.constantFrom(4 as const, 5 as const),
      (first, lives, last, version) => {
        const model = new Model();
        const runToEnd = () => {
          let steps = 0;
          while (model.step(steps)) if (++steps === 1000) throw new Error('it has no end');
        };
        model.start(first, version);
        runToEnd();
        // Looked at after each step: an `expect` for each of them takes most of the time.
        const check = () => {
          if (model.subscribed.length === 0) throw new Error('nobody is subscribed');
          for (const [clientId, filters] of model.broker) {
            const known = model.ledger.get(clientId)?.subscriptions.map(filterText) ?? [];
            for (const each of filters)
              if (!known.includes(each)) throw new Error(`the ledger does not know ${each}`);
          }
        };
        for (const { config: next, steps } of lives) {
          model.start(next, version);
          for (const choice of steps) {
            model.step(choice);
            check();
          }
          // Killed here.
        }
        model.start(last, version);
        runToEnd();
        const wanted = wantedBy(last);
        expect(Object.fromEntries([...model.broker].map(([id, at]) => [id, [...at]]))).toEqual(
          Object.fromEntries(
            wanted.map(({ clientId, subscription }) => [clientId, [filterText(subscription)]]),
          ),
        );
        expect([...model.ledger.keys()].sort()).toEqual(wanted.map(({ clientId }) => clientId));
      },
    ),
    { numRuns: 2000 },
  );
});

describe('without kills, no two ways bring the same message', () => {
  const pairs = [1, 2, 3].flatMap((from) => [1, 2, 3].map((to) => [from, to] as const));

  test.each(pairs)('%d connections, then %d', (from, to) => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (choices) => {
        const model = new Model();
        model.start({ route: 'r', connections: from }, 5);
        const check = () => expect(new Set(model.subscribed).size).toBe(1);
        for (let step = 0; model.step(step); step++);
        check();
        model.start({ route: 'r', connections: to }, 5);
        for (const choice of choices) {
          model.step(choice);
          check();
          // A direct subscription is one session's alone.
          if (model.subscribed.includes(filter)) expect(model.subscribed).toHaveLength(1);
        }
      }),
    );
  });
});

const one: Subscription = { filter, qos: 1 };
const other: Subscription = { filter: 'b', qos: 1 };
const granted = (subscription: Subscription): LedgerSubscription => ({
  ...subscription,
  state: 'granted',
});

describe('what is sent on a connection', () => {
  test.each([
    // MQTT 5 asks each time; 3.1.1 only where it is not known to be there.
    [5, true, [granted(one)], one, []],
    [4, true, [granted(one)], undefined, []],
    [4, true, [{ ...one, state: 'asked' as const }], one, []],
    [4, true, [granted({ ...one, qos: 0 })], one, []],
    [4, false, [granted(one)], one, []],
    [4, true, [], one, []],
    // What the config no longer wants goes; in a session that is new there is nothing to give up.
    [5, true, [granted(other)], one, [granted(other)]],
    [4, true, [granted(one), granted(other)], undefined, [granted(other)]],
    [5, false, [granted(other)], one, []],
  ] as const)(
    'MQTT %d, Session Present %s, %j',
    (protocolVersion, sessionPresent, known, ...plan) => {
      const [subscribe, unsubscribe] = plan;
      expect(planSubscriptions(known, one, { protocolVersion, sessionPresent })).toEqual({
        subscribe,
        unsubscribe,
      });
    },
  );
});
