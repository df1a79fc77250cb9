// The source text of values in a JSON document: what JSON.parse makes of 2^53+1, 1e400, doubled keys and white
// space cannot be turned back. Nothing here recurses, so no nesting is too deep.

/** A value as it was written. */
export interface RawValue {
  readonly text: string;
  /** Arrays and objects around its innermost value, itself included: 0 for `1`, 1 for `[1]`. */
  readonly depth: number;
}

export interface RawMember extends RawValue {
  /** Name of the member, its escapes resolved. */
  readonly name: string;
}

/** The members of the object that `json` holds, doubled ones too. JSON.parse must have accepted `json`. */
export function rawMembers(json: string): RawMember[] {
  return placedMembers(json).map(({ name, text, depth }) => ({ name, text, depth }));
}

/**
 * The value of the member that JSON.parse takes for `name`, the last one, with the white space around it: all between its
 * colon and what comes next. JSON.parse must have accepted `json`, an object.
 */
export function spacedMember(json: string, name: string): string | undefined {
  return placedMembers(json).findLast((member) => member.name === name)?.spaced;
}

function placedMembers(json: string): (RawMember & { readonly spaced: string })[] {
  const members = [];
  let at = afterSpace(json, afterSpace(json, 0) + 1);
  while (json[at] !== '}') {
    const nameEnd = endOfString(json, at);
    const name = JSON.parse(json.slice(at, nameEnd)) as string;
    const colonEnd = afterSpace(json, nameEnd) + 1;
    const start = afterSpace(json, colonEnd);
    const { end, depth } = endOfValue(json, start);
    const spaced = json.slice(colonEnd, afterSpace(json, end));
    members.push({ name, text: json.slice(start, end), spaced, depth });
    at = nextValue(json, end);
  }
  return members;
}

/** The elements of the array that `json` holds. JSON.parse must have accepted `json`. */
export function rawElements(json: string): RawValue[] {
  const elements: RawValue[] = [];
  let at = afterSpace(json, afterSpace(json, 0) + 1);
  while (json[at] !== ']') {
    const { end, depth } = endOfValue(json, at);
    elements.push({ text: json.slice(at, end), depth });
    at = nextValue(json, end);
  }
  return elements;
}

/** Index of the next member or element behind one that ends at `end`, or of the closing bracket. */
function nextValue(json: string, end: number): number {
  const at = afterSpace(json, end);
  return json[at] === ',' ? afterSpace(json, at + 1) : at;
}

function afterSpace(json: string, start: number): number {
  let at = start;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++;
  return at;
}

/** Index behind the string whose opening quote is at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(json: string, start: number): { end: number; depth: number } {
  let at = start;
  let open = 0;
  let depth = 0;
  while (at < json.length) {
    const character = json[at];
    if (character === '"') {
      at = endOfString(json, at);
    } else if (character === '[' || character === '{') {
      depth = Math.max(depth, ++open);
      at++;
      continue;
    } else if (character === ']' || character === '}') {
      open--;
      at++;
    } else {
      at++;
      // A number or a name ends where something else begins; inside of brackets it does not matter.
      if (open > 0 || /[^\s,\]}]/.test(json[at] ?? ',')) continue;
    }
    if (open === 0) break;
  }
  return { end: at, depth };
}
