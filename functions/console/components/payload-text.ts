// The payload of a message as text and as bytes, and the numbers in it.

/** As the api gives it: JSON or text, or base64. */
export interface Payload {
  readonly payload?: unknown;
  readonly payloadBase64?: string | undefined;
  /** JSON as the device wrote it, where that is known: parsing it loses digits and white space. */
  readonly payloadText?: string | undefined;
}

/** Its text; undefined where it is none. */
export function textOf({ payload, payloadBase64, payloadText }: Payload): string | undefined {
  if (payloadBase64 !== undefined) return undefined;
  if (typeof payload === 'string') return payload;
  return payloadText ?? JSON.stringify(payload) ?? '';
}

export function bytesOf(of: Payload): Uint8Array {
  const text = textOf(of);
  if (text !== undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(of.payloadBase64 ?? ''), (character) => character.charCodeAt(0));
}

export function sizeOf(of: Payload): number {
  const { payloadBase64 } = of;
  if (payloadBase64 === undefined) return bytesOf(of).length;
  const padding = /=*$/.exec(payloadBase64)?.[0].length ?? 0;
  return (payloadBase64.length / 4) * 3 - padding;
}

/** Fields of a payload that are looked through for numbers. */
const maxFields = 200;

/** The numbers in a payload by the path of their field, `''` for a payload that is one. */
export function numbersIn(payload: unknown): Map<string, number> {
  const found = new Map<string, number>();
  const queue: [string, unknown][] = [['', payload]];
  for (let looked = 0; looked < Math.min(queue.length, maxFields); looked++) {
    const [path, value] = queue[looked] as [string, unknown];
    if (typeof value === 'number') found.set(path, value);
    else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value))
        queue.push([path === '' ? name : `${path}.${name}`, inner]);
  }
  return found;
}
