// Which filters match a topic: a tree with one level of the filter at each step, and a value for each filter.

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  value: T | undefined;
}

const node = <T>(): Node<T> => ({ children: new Map(), value: undefined });

export class FilterTree<T> {
  readonly #root = node<T>();

  /** The value of a legal filter; made where it has none. */
  get(filter: string, make: () => T): T {
    let at = this.#root;
    for (const level of filter.split('/')) {
      let child = at.children.get(level);
      if (child === undefined) {
        child = node();
        at.children.set(level, child);
      }
      at = child;
    }
    at.value ??= make();
    return at.value;
  }

  find(filter: string): T | undefined {
    let at: Node<T> | undefined = this.#root;
    for (const level of filter.split('/')) at = at?.children.get(level);
    return at?.value;
  }

  remove(filter: string): void {
    const path: [Node<T>, string][] = [];
    let at = this.#root;
    for (const level of filter.split('/')) {
      const child = at.children.get(level);
      if (child === undefined) return;
      path.push([at, level]);
      at = child;
    }
    at.value = undefined;
    // Branches that hold nothing go, or a client that changes its filters for ever would fill the memory.
    for (const [parent, level] of path.reverse()) {
      const child = parent.children.get(level);
      if (child === undefined || child.value !== undefined || child.children.size > 0) return;
      parent.children.delete(level);
    }
  }

  /** The values of all filters that match. */
  match(topic: string): T[] {
    const found: T[] = [];
    const levels = topic.split('/');
    const take = (at: Node<T> | undefined) => {
      if (at?.value !== undefined) found.push(at.value);
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
