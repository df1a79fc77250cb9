// All subscriptions: who gets a message on a topic, and in which way.
import type { QoS } from '../packets/message.ts';
import { sharedFilter } from '../packets/requests.ts';
import { FilterTree } from './filter-tree.ts';
import { type Member, SharedGroup } from './shared-group.ts';
import type { Subscription } from './subscription.ts';

interface Entry<M extends Member> {
  readonly holders: Map<M, Subscription>;
  readonly groups: Map<string, SharedGroup<M>>;
}

/** One member, by all of its filters that match. */
export interface Route<M> {
  readonly member: M;
  /** The highest of all [MQTT-3.3.4-2]. */
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  /** Of those filters that have one. */
  readonly ids: readonly number[] | undefined;
  /** Undefined where none of the filters is No Local; else the route without those, for what the member publishes. */
  readonly local: Route<M> | 'none' | undefined;
}

export interface Routes<M extends Member> {
  readonly members: readonly Route<M>[];
  /** One member of each gets the message. */
  readonly groups: readonly SharedGroup<M>[];
}

/** So many topics are remembered with their routes. */
const maxRemembered = 2000;

export class Subscriptions<M extends Member> {
  readonly #tree = new FilterTree<Entry<M>>();
  readonly #remembered = new Map<string, Routes<M>>();

  add(member: M, subscription: Subscription): void {
    this.#remembered.clear();
    const share = sharedFilter(subscription.filter);
    const entry = this.#tree.get(share?.filter ?? subscription.filter, () => ({
      holders: new Map(),
      groups: new Map(),
    }));
    if (share === undefined) {
      entry.holders.set(member, subscription);
      return;
    }
    const group = entry.groups.get(share.group) ?? new SharedGroup<M>();
    group.set(member, subscription);
    entry.groups.set(share.group, group);
  }

  remove(member: M, filter: string): void {
    this.#remembered.clear();
    const share = sharedFilter(filter);
    const inner = share?.filter ?? filter;
    const entry = this.#tree.find(inner);
    if (entry === undefined) return;
    if (share === undefined) entry.holders.delete(member);
    else {
      const group = entry.groups.get(share.group);
      group?.delete(member);
      if (group?.size === 0) entry.groups.delete(share.group);
    }
    if (entry.holders.size === 0 && entry.groups.size === 0) this.#tree.remove(inner);
  }

  /** The members of a shared subscription, `$share/group/filter`. */
  group(filter: string): SharedGroup<M> | undefined {
    const share = sharedFilter(filter);
    return share && this.#tree.find(share.filter)?.groups.get(share.group);
  }

  routesOf(topic: string): Routes<M> {
    const known = this.#remembered.get(topic);
    if (known !== undefined) return known;
    const entries = this.#tree.match(topic);
    const found = new Map<M, Subscription[]>();
    for (const { holders } of entries)
      for (const [member, subscription] of holders) {
        const others = found.get(member);
        if (others === undefined) found.set(member, [subscription]);
        else others.push(subscription);
      }
    const routes = {
      members: [...found].map(([member, subscriptions]) => routeOf(member, subscriptions)),
      groups: entries.flatMap(({ groups }) => [...groups.values()]),
    };
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(topic, routes);
    return routes;
  }
}

function routeOf<M>(member: M, subscriptions: readonly Subscription[]): Route<M> {
  const heard = subscriptions.filter(({ noLocal }) => !noLocal);
  const merged = merge(member, subscriptions);
  if (heard.length === subscriptions.length) return { ...merged, local: undefined };
  return { ...merged, local: heard.length === 0 ? 'none' : routeOf(member, heard) };
}

function merge<M>(member: M, subscriptions: readonly Subscription[]): Omit<Route<M>, 'local'> {
  const ids = subscriptions.flatMap(({ id }) => (id === undefined ? [] : [id]));
  return {
    member,
    qos: Math.max(...subscriptions.map(({ qos }) => qos)) as QoS,
    retainAsPublished: subscriptions.some(({ retainAsPublished }) => retainAsPublished),
    ids: ids.length === 0 ? undefined : ids,
  };
}
