// Which holders have a filter that matches a topic: a tree with one level of the filter at each step.
import type { QoS } from './message.ts';

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly holders: Map<T, QoS>;
}

const node = <T>(): Node<T> => ({ children: new Map(), holders: new Map() });

export class FilterTree<T> {
  readonly #root = node<T>();

  /** Adds a legal filter, or changes the QoS of one that is there. */
  add(filter: string, holder: T, qos: QoS): void {
    let at = this.#root;
    for (const level of filter.split('/')) {
      let child = at.children.get(level);
      if (child === undefined) {
        child = node();
        at.children.set(level, child);
      }
      at = child;
    }
    at.holders.set(holder, qos);
  }

  remove(filter: string, holder: T): void {
    const path: [Node<T>, string][] = [];
    let at = this.#root;
    for (const level of filter.split('/')) {
      const child = at.children.get(level);
      if (child === undefined) return;
      path.push([at, level]);
      at = child;
    }
    at.holders.delete(holder);
    // Branches that hold nothing go, or a client that changes its filters for ever would fill the memory.
    for (const [parent, level] of path.reverse()) {
      const child = parent.children.get(level);
      if (child === undefined || child.holders.size > 0 || child.children.size > 0) return;
      parent.children.delete(level);
    }
  }

  /** Each holder once, with the highest QoS of its filters that match [MQTT-3.3.5-1]. */
  match(topic: string): Map<T, QoS> {
    const found = new Map<T, QoS>();
    const levels = topic.split('/');
    const take = (at: Node<T> | undefined) => {
      for (const [holder, qos] of at?.holders ?? [])
        if (qos >= (found.get(holder) ?? 0)) found.set(holder, qos);
    };
    const walk = (at: Node<T>, depth: number) => {
      const level = levels[depth];
      // A leading wildcard does not match topics that start with $ [MQTT-4.7.2-1].
      const wildcards = depth > 0 || !topic.startsWith('$');
      if (wildcards) take(at.children.get('#'));
      if (level === undefined) return take(at);
      const exact = at.children.get(level);
      if (exact !== undefined) walk(exact, depth + 1);
      const any = wildcards ? at.children.get('+') : undefined;
      if (any !== undefined) walk(any, depth + 1);
    };
    walk(this.#root, 0);
    return found;
  }
}
