// Answers of the api as values, with the text of each payload beside it: a device's 1e400, 2^53+1 or doubled keys are not
// what JSON.parse makes of them.
import { rawElements, rawMembers, spacedMember } from '../../contract/raw-json.ts';

/** As JSON.parse gives it; an object with a `payload` that is no string has its source as `payloadText`, too. */
export function parseAnswer(text: string): unknown {
  // It checks the text, which what cuts it relies on; and most answers have no payloads.
  const value: unknown = JSON.parse(text);
  return text.includes('"payload":') ? withTexts(text.trim()) : value;
}

function withTexts(text: string): unknown {
  if (text.startsWith('[')) return rawElements(text).map((element) => withTexts(element.text));
  if (!text.startsWith('{')) return JSON.parse(text);
  const entries = rawMembers(text).map(({ name, text: inner }): [string, unknown] => [
    name,
    name === 'payload' ? JSON.parse(inner) : withTexts(inner),
  ]);
  const value = Object.fromEntries(entries);
  if (!Object.hasOwn(value, 'payload') || typeof value['payload'] === 'string') return value;
  return { ...value, payloadText: spacedMember(text, 'payload') };
}
