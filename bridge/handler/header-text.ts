// What a device said, as HTTP headers that it cannot break out of, and no more of it than a server takes. Pure.

export type Headers = Readonly<Record<string, string>>;

export type AttributeHeaders =
  | { readonly kind: 'headers'; readonly headers: Headers }
  | { readonly kind: 'too large'; readonly reason: string };

/**
 * Maximum bytes of names and values that come from one message. AWS's HTTP API takes 10,240 bytes of headers in all,
 * nginx 8 KB a line; signature, authorization and the route's own headers need their share.
 */
export const maxAttributeBytes = 6144;

/** Most values: nothing of them is encoded. */
const plainForm = /^[\x21\x23\x24\x26-\x7e]*$/;

/**
 * Percent-encoding of CloudEvents' HTTP binding 1.0.2, 3.1.3.2: space, double quote, percent, and all that is no
 * printable ASCII, as its bytes in UTF-8. So no value has a line break, and decoding any %XX gives it back.
 */
export function headerText(value: string): string {
  if (plainForm.test(value)) return value;
  return value
    .toWellFormed()
    .replaceAll(/[^\x21-\x7e]|["%]/gu, (character) =>
      [...Buffer.from(character)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    );
}

/** The whole name of its header: one that is put together for each message would have to be looked up each time. */
type Attribute<P extends string> = readonly [name: `${P}${string}`, value: string | undefined];

/**
 * Attributes as headers, as far as they fit. What a handler cannot do without is `required`; what of `optional` does not fit
 * is left out and named in `<prefix>omitted`, by commas and without the prefix.
 */
export function attributeHeaders<P extends 'ce-' | 'mqtt-'>(
  prefix: P,
  required: readonly Attribute<P>[],
  optional: readonly Attribute<P>[],
): AttributeHeaders {
  const headers: Record<string, string> = {};
  const omitted: string[] = [];
  const bareName = ([name]: Attribute<P>) => name.slice(prefix.length);
  // For the header that names what is missing.
  let leftBytes = maxAttributeBytes - 100;
  function add([name, value]: Attribute<P>): boolean {
    if (value === undefined) return true;
    // Encoding makes nothing shorter: what is too long already need not be encoded to know it.
    const text = value.length > leftBytes ? undefined : headerText(value);
    const bytes = name.length + (text?.length ?? Number.POSITIVE_INFINITY);
    if (text === undefined || bytes > leftBytes) return false;
    leftBytes -= bytes;
    headers[name] = text;
    return true;
  }
  for (const attribute of required) {
    if (!add(attribute))
      return {
        kind: 'too large',
        reason: `its ${bareName(attribute)} does not fit into headers of ${maxAttributeBytes} bytes`,
      };
  }
  for (const attribute of optional) if (!add(attribute)) omitted.push(bareName(attribute));
  if (omitted.length > 0) headers[`${prefix}omitted`] = omitted.join(',');
  return { kind: 'headers', headers };
}
