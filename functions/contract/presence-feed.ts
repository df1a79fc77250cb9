// What a presence route says of its messages, in the query of its URL: infra writes it, ingest reads it.
import * as z from 'zod';
import type { PresenceSource } from './presence.ts';
import { presenceSources } from './presence.ts';
import type { FieldFault } from './problem.ts';
import { filterFault, matchesFilter } from './topic.ts';

/** Where presence messages come from, and for those that devices send themselves, what they look like. */
export type PresenceFeed =
  | { readonly source: Exclude<PresenceSource, 'last-will'> }
  | ({ readonly source: 'last-will' } & LastWillForm);

export interface LastWillForm {
  /** Filter of the topics on which clients say whether they are online; its one `+` stands where the client id is. */
  readonly filter: string;
  /** Payload of a client that is online, to the letter. */
  readonly online: string;
  /** Payload of one that is not. */
  readonly offline: string;
}

/** Longest filter and longest payload, in characters. */
export const maxFormLength = 1000;
/** Each character may take three times three in the query, see {@link presenceQuery}. */
const formField = z
  .string()
  .max(9 * maxFormLength)
  .optional();

/** Fields of the query, for the schema that ingest checks it with. */
export const presenceQueryFields = {
  presence: z.enum(presenceSources).optional(),
  filter: formField,
  online: formField,
  offline: formField,
};

type PresenceQuery = z.output<z.ZodObject<typeof presenceQueryFields>>;

export type ParsedFeed =
  | { readonly ok: true; readonly feed: PresenceFeed | undefined }
  | { readonly ok: false; readonly faults: FieldFault[] };

/** The feed of a route whose URL has this query; undefined for a route whose messages are stored. */
export function presenceFeedOf({ presence, ...form }: PresenceQuery): ParsedFeed {
  if (presence === 'last-will') {
    const { filter = '' } = form;
    const [online, offline] = [decoded(form.online), decoded(form.offline)];
    const faults = lastWillFaults({ filter, online, offline });
    if (faults.length > 0) return { ok: false, faults };
    return { ok: true, feed: { source: presence, filter, online, offline } };
  }
  const given = (['filter', 'online', 'offline'] as const).filter(
    (name) => form[name] !== undefined,
  );
  if (given.length > 0) {
    const rule = 'belongs to presence=last-will';
    return { ok: false, faults: given.map((field) => ({ field, rule })) };
  }
  return { ok: true, feed: presence === undefined ? undefined : { source: presence } };
}

/**
 * The query of a route's URL, without `?`. Payloads are encoded once more than the rest: braces, as in JSON, stand for
 * levels of a topic in the URL of a route, also where they are written as `%7B`.
 */
export function presenceQuery(feed: PresenceFeed): string {
  const presence = `presence=${feed.source}`;
  if (feed.source !== 'last-will') return presence;
  const { filter, online, offline } = feed;
  const payload = (text: string) => encodeURIComponent(encodeURIComponent(text));
  return `${presence}&filter=${encodeURIComponent(filter)}&online=${payload(online)}&offline=${payload(offline)}`;
}

/** A payload of the query; the empty one, which is none, where it is malformed. */
function decoded(text = ''): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** What is wrong with a last will's form. */
export function lastWillFaults({ filter, online, offline }: LastWillForm): FieldFault[] {
  const faults: FieldFault[] = [];
  const wildcards = filter.split('/').filter((level) => level === '+' || level === '#');
  const filterRule =
    wildcards.join() === '+' ? filterFault(filter) : 'must have one + and no #, for the client id';
  if (filterRule !== undefined) faults.push({ field: 'filter', rule: filterRule });
  for (const [field, text] of Object.entries({ online, offline })) {
    if (text === '' || text.length > maxFormLength || !text.isWellFormed())
      faults.push({ field, rule: `must be well-formed text of 1 to ${maxFormLength} characters` });
  }
  if (online === offline)
    faults.push({ field: 'offline', rule: 'must be another payload than online' });
  return faults;
}

/** The client id in a topic, or undefined where the filter does not match it. */
export function clientIdIn(topic: string, filter: string): string | undefined {
  if (!matchesFilter(filter, topic)) return undefined;
  return topic.split('/')[filter.split('/').indexOf('+')];
}
