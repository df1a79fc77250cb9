// What the `#names` and `:values` of a call's expressions stand for; each has to be there, and each has to be used.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Item, valueFault } from '../values/attribute-values.ts';
import { refusal } from '../values/errors.ts';

export class Placeholders {
  readonly #names: Record<string, string>;
  readonly #values: Item;
  readonly #unused: Set<string>;

  constructor(names: Record<string, string> | undefined, values: Item | undefined) {
    this.#names = names ?? {};
    this.#values = values ?? {};
    this.#unused = new Set([...Object.keys(this.#names), ...Object.keys(this.#values)]);
    for (const [name, value] of Object.entries(this.#values)) {
      const fault = valueFault(value);
      if (fault !== undefined)
        throw refusal(`ExpressionAttributeValues contains invalid value: ${fault} for key ${name}`);
    }
  }

  /** The attribute that a path means. */
  attribute(path: string): string {
    if (!path.startsWith('#')) return path;
    this.#unused.delete(path);
    const name = this.#names[path];
    if (name === undefined)
      throw refusal(
        `An expression attribute name used in the document path is not defined; attribute name: ${path}`,
      );
    return name;
  }

  value(placeholder: string): AttributeValue {
    this.#unused.delete(placeholder);
    const value = this.#values[placeholder];
    if (value === undefined)
      throw refusal(
        `An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
      );
    return value;
  }

  /** To be called once all expressions of the call have been bound. */
  checkAllUsed(): void {
    const [unused] = this.#unused;
    if (unused === undefined) return;
    const field = unused.startsWith('#') ? 'ExpressionAttributeNames' : 'ExpressionAttributeValues';
    throw refusal(`Value provided in ${field} unused in expressions: keys: {${unused}}`);
  }
}
