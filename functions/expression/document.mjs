// What an expression sees: the message as the query API shows it, the levels of its topic, and its payload parsed. Pure.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The document of one message; `bytes` are its payload. Throws where the payload is nested deeper than `maxDepth`.
 *
 * @param {{ topic: string, userProperties?: readonly (readonly [string, string])[] }} input
 * @param {Uint8Array} bytes
 * @param {number} maxDepth
 */
export function documentOf({ userProperties, ...input }, bytes, maxDepth) {
  const document = { ...input, levels: input.topic.split('/') };
  if (userProperties !== undefined) document.userProperties = byName(userProperties);
  const text = textOf(bytes);
  if (text === undefined) document.payloadBase64 = Buffer.from(bytes).toString('base64');
  else document.payload = parsed(text, maxDepth);
  return document;
}

function textOf(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What JSON.parse makes of it; text that is no JSON is a string as it is. */
function parsed(text, maxDepth) {
  if (depthOf(text) > maxDepth)
    throw new Error(`the payload is nested deeper than ${maxDepth} levels`);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** How deep arrays and objects of a JSON text stand within each other. Nothing here recurses. */
function depthOf(text) {
  let open = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++)
        if (text.charCodeAt(at) === 0x5c) at++;
    } else if (character === 0x5b || character === 0x7b) {
      if (++open > deepest) deepest = open;
    } else if (character === 0x5d || character === 0x7d) open--;
  }
  return deepest;
}

/** Values by name; a list where a name occurs more than once. */
function byName(pairs) {
  const lists = new Map();
  for (const [name, value] of pairs) lists.set(name, [...(lists.get(name) ?? []), value]);
  return Object.fromEntries(
    Array.from(lists, ([name, list]) => [name, list.length === 1 ? list[0] : list]),
  );
}
