// A message as one line for people: when, which topic, and what it says.
import { styleText } from 'node:util';
import { jsonOrUndefined } from '../../functions/contract/parse.ts';

interface Told {
  readonly time: string;
  readonly topic: string;
  readonly payload?: unknown;
  readonly payloadBase64?: string;
  readonly retain?: boolean;
}

/** `data` is the JSON of a message; colours where the terminal has them. */
export function lineOf(data: string): string {
  const message = jsonOrUndefined(data) as Told | undefined;
  if (message === undefined) return data;
  const { time, topic, payload, payloadBase64, retain } = message;
  const at = new Date(time);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  const place = topic.lastIndexOf('/') + 1;
  const parts = [
    styleText('dim', clock.join(':')),
    `${styleText('dim', printable(topic.slice(0, place)))}${styleText('cyan', printable(topic.slice(place)))}`,
    ...(retain === true ? [styleText('dim', 'retained')] : []),
    payloadBase64 === undefined ? shown(payload) : styleText('dim', `base64 ${payloadBase64}`),
  ];
  return parts.join('  ');
}

function shown(payload: unknown): string {
  return printable(typeof payload === 'string' ? payload : JSON.stringify(payload));
}

/** What a device sends is not to command the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[^\\]/u, '\ufffd'),
  );
}
