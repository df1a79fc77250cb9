// What somebody is about to publish: the form's fields, the request that they make, and what is wrong with them.
import { publishTopicFault } from '../../../contract/topic.ts';
import type { CallOf, OperationAt } from '../../client/operations.ts';

export type PublishBody = CallOf<OperationAt<'post', '/v1/publish'>>['body'];

export const payloadKinds = ['json', 'text', 'base64'] as const;
export type PayloadKind = (typeof payloadKinds)[number];

export interface Draft {
  readonly topic: string;
  readonly kind: PayloadKind;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly waitFor: 'none' | 'broker' | 'reply';
  readonly contentType: string;
  readonly responseTopic: string;
  /** Seconds; empty for the default of the api. */
  readonly expiry: string;
}

/** A draft from what an address names, such as a message that is to be sent again. */
export function draftFrom(settings: Readonly<Record<string, string>>): Draft {
  const { topic = '', payload, base64, contentType = '' } = settings;
  const kind =
    base64 !== undefined
      ? 'base64'
      : payload !== undefined && jsonFault(payload) !== undefined
        ? 'text'
        : 'json';
  return {
    topic,
    kind,
    payload: base64 ?? payload ?? '{"fan": "on"}',
    qos: 1,
    retain: false,
    waitFor: 'broker',
    contentType,
    responseTopic: '',
    expiry: '',
  };
}

export interface TextFault {
  readonly text: string;
  /** Counted from 1, where it is known. */
  readonly line?: number;
}

/** What is wrong with text that shall be JSON, and in which line. */
export function jsonFault(text: string): TextFault | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const place = /line (\d+) column (\d+)/.exec(message);
    if (place?.[1] !== undefined)
      return { text: message.replace(/^JSON\.parse: /, ''), line: Number(place[1]) };
    const at = /position (\d+)/.exec(message)?.[1];
    if (at === undefined) return { text: message };
    return { text: message, line: text.slice(0, Number(at)).split('\n').length };
  }
}

export function payloadFault({ kind, payload }: Draft): TextFault | undefined {
  if (kind === 'json') return jsonFault(payload);
  if (
    kind === 'base64' &&
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(payload)
  )
    return { text: 'must be base64 with padding' };
  return undefined;
}

/** Undefined where the topic can be published to, or nothing is given yet. */
export const draftTopicFault = ({ topic }: Draft): string | undefined =>
  topic === '' ? undefined : publishTopicFault(topic);

export const canSend = (draft: Draft): boolean =>
  draft.topic !== '' && draftTopicFault(draft) === undefined && payloadFault(draft) === undefined;

/** The request, and its text: a JSON payload stands there as it was written. */
export function requestOf(draft: Draft): { readonly body: PublishBody; readonly bodyText: string } {
  const { topic, kind, payload, qos, retain, waitFor, contentType, responseTopic, expiry } = draft;
  const rest = {
    topic,
    ...(qos !== 1 && { qos }),
    ...(retain && { retain }),
    ...(contentType !== '' && { contentType }),
    ...(waitFor === 'reply' && responseTopic !== '' && { responseTopic }),
    ...(expiry !== '' && { expirySeconds: Number(expiry) }),
    ...(waitFor !== 'broker' && { waitFor }),
  };
  const body = {
    ...rest,
    ...(kind === 'base64'
      ? { payloadBase64: payload }
      : { payload: kind === 'json' ? (JSON.parse(payload) as unknown) : payload }),
  };
  if (kind !== 'json') return { body, bodyText: JSON.stringify(body) };
  return { body, bodyText: `${JSON.stringify(rest).slice(0, -1)},"payload":${payload.trim()}}` };
}

export function curlOf(draft: Draft, origin: string): string {
  const { bodyText } = requestOf(draft);
  return [
    `curl -X POST '${origin}/v1/publish'`,
    '-H "Authorization: Bearer $CAUSEWAY_TOKEN"',
    "-H 'Content-Type: application/json'",
    `-d '${bodyText.replaceAll("'", "'\\''")}'`,
  ].join(' \\\n  ');
}
