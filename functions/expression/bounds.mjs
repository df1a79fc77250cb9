// What an expression may make in its thread. A thread has a heap of its own, but V8 ends the whole process where one
// allocation goes far beyond it. So what JSONata makes large values with refuses to: lists of a given length, joined and
// concatenated text, JSON of a value that holds the same one a thousand times.
import jsonata from 'jsonata';

class TooLarge extends Error {}

const PlainArray = Array;
const plainJoin = Array.prototype.join;
const plainConcat = String.prototype.concat;
const plainStringify = JSON.stringify;

/** To be called once, in a thread that does nothing else: it changes what all code of the thread works with. */
export function boundThread({ maxTextLength, maxPayloadDepth }) {
  const tooLong = () => new TooLarge(`a text is longer than ${maxTextLength} characters`);
  const bounded = (text) => {
    if (typeof text === 'string' && text.length > maxTextLength) throw tooLong();
    return text;
  };

  function BoundedArray(...items) {
    if (items.length === 1 && items[0] > maxTextLength) throw tooLong();
    return new PlainArray(...items);
  }
  BoundedArray.prototype = PlainArray.prototype;
  for (const name of ['isArray', 'from', 'of']) BoundedArray[name] = PlainArray[name];
  globalThis.Array = BoundedArray;

  PlainArray.prototype.join = function join(separator = ',') {
    let length = String(separator).length * this.length;
    for (const item of this) if (typeof item === 'string') length += item.length;
    if (length > maxTextLength) throw tooLong();
    return plainJoin.call(this, separator);
  };
  String.prototype.concat = function concat(...texts) {
    return bounded(plainConcat.apply(this, texts));
  };
  JSON.stringify = function stringify(value, ...how) {
    let left = maxTextLength;
    measure(value, 0);
    return plainStringify(value, ...how);

    function measure(part, depth) {
      if (typeof part === 'string') left -= part.length + 2;
      else if (typeof part !== 'object' || part === null) left -= 5;
      else {
        if (depth > 2 * maxPayloadDepth) throw new TooLarge('a value is nested too deeply');
        left -= 2;
        for (const key of Object.keys(part)) {
          left -= key.length + 3;
          measure(part[key], depth + 1);
        }
      }
      if (left < 0) throw tooLong();
    }
  };
  // Nothing that one message leaves there can reach the next.
  for (const { prototype } of [Object, Function, PlainArray, String])
    Object.preventExtensions(prototype);

  return bounded;
}

/** Functions that put text together piece by piece: what they return has to be measured. */
const textFunctions = ['replace', 'pad', 'formatNumber', 'formatInteger', 'fromMillis'];

/** An expression, compiled; `bounded` is what {@link boundThread} gave. */
export async function compile(text, { evaluationMs, depth, maxSequence }, bounded) {
  const expression = jsonata(text, {
    timeout: evaluationMs,
    stack: depth,
    sequence: maxSequence,
  });
  for (const name of textFunctions) {
    const { implementation, signature } = await jsonata(`$${name}`).evaluate();
    expression.registerFunction(
      name,
      // Counted out: JSONata reads the parameters from here where a function is partially applied.
      async function (first, second, third, fourth) {
        return bounded(await implementation.call(this, first, second, third, fourth));
      },
      signature.definition,
    );
  }
  const { implementation: fromMillis } = await jsonata('$fromMillis').evaluate();
  expression.registerFunction(
    'now',
    function (picture, timezone) {
      return bounded(fromMillis(this.environment.timestamp.getTime(), picture, timezone));
    },
    '<s?s?:s>',
  );
  // A payload is never an expression.
  expression.registerFunction('eval', () => {
    throw new Error('$eval is not available');
  });
  return expression;
}
