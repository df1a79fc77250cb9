// The users file: names, salted hashes and topic rights, read again when it changes; and the validator over it.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { jsonIn } from '../../../bridge/base/given-text.ts';
import { faultsText, parseWith } from '../../../functions/contract/parse.ts';
import { filterFault } from '../../../functions/contract/topic.ts';
import type { Counters } from '../telemetry/counters.ts';
import { type ConnectionValidator, type Decision, isLoopback, type Refusal } from './access.ts';
import { ownNamePrefix } from './own-user.ts';
import type { Passwords } from './passwords.ts';
import { allRights, type Grants, type TopicRights, topicRights } from './topic-rights.ts';

const filters = z
  .array(
    z.string().superRefine((filter, context) => {
      const fault = filterFault(filter);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    }),
  )
  .max(1000);

const grants = z.strictObject({
  publish: filters
    .default(['#'])
    .describe('topic filters; %u stands for the user, %c for the client id'),
  subscribe: filters.default(['#']).describe('topic filters; $events/# has to be named'),
});

const user = grants
  .extend({
    name: z
      .string()
      .min(1)
      .max(256)
      .refine(
        (name) => !name.startsWith(ownNamePrefix),
        `must not start with ${ownNamePrefix}: those are the broker's own`,
      ),
    hash: z
      .string()
      .regex(
        /^\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/,
        'must be a bcrypt hash of cost 4 to 14 (npx causeway broker hash)',
      ),
    clientIds: z
      .array(z.string().min(1))
      .optional()
      .describe('the client ids that the user may have, or their beginnings with * at the end'),
  })
  .superRefine((given, context) => {
    if (given.clientIds === undefined)
      refuseClientIds(
        given,
        context,
        'needs clientIds: without them the user may have any client id',
      );
  });

export const usersSchema = z.strictObject({
  users: z
    .array(user)
    .refine(
      (users) => new Set(users.map(({ name }) => name)).size === users.length,
      'must not have a name twice',
    ),
  anonymous: grants
    .superRefine((given, context) =>
      refuseClientIds(given, context, 'is not for anonymous clients: they may have any client id'),
    )
    .optional()
    .describe('rights of anonymous clients; without it, all'),
});

export type Users = z.output<typeof usersSchema>;
type User = Users['users'][number];

/** Where a client may have any id, `%c` would give it the topics of any other client. */
function refuseClientIds(given: Grants, context: z.RefinementCtx, rule: string): void {
  for (const list of ['publish', 'subscribe'] as const)
    given[list].forEach((filter, index) => {
      if (filter.includes('%c'))
        context.addIssue({ code: 'custom', path: [list, index], message: `%c ${rule}` });
    });
}

/** Reads a users file. Throws with the file's name and all faults. */
export function readUsers(file: string): Users {
  const document = jsonIn(textOf(file));
  if (!document.ok) throw new Error(`${file}: ${document.mistake}`);
  const parsed = parseWith(usersSchema, document.value);
  if (!parsed.ok) throw new Error(`${file}: ${faultsText(parsed.faults)}`);
  return parsed.value;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

/** Names of the users that are gone or other than before; undefined among them when anonymous rights changed. */
export function changedUsers(before: Users, after: Users): Set<string | undefined> {
  const changed = new Set<string | undefined>();
  const now = new Map(after.users.map((one) => [one.name, JSON.stringify(one)]));
  for (const one of before.users) {
    if (now.get(one.name) !== JSON.stringify(one)) changed.add(one.name);
  }
  if (JSON.stringify(before.anonymous) !== JSON.stringify(after.anonymous)) changed.add(undefined);
  return changed;
}

/** Checked in place of an unknown user's, so that the time it takes does not tell who exists. */
const nobodysHash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

const refused = (refusal: Refusal, why?: string): Decision => ({
  accepted: false,
  refusal,
  ...(why !== undefined && { why }),
});

/** Accepts the users of the file, and anonymous clients by `anonymous`. */
export function usersValidator(
  users: () => Users,
  anonymous: 'loopback' | 'never',
  passwords: Passwords,
  counters: Pick<Counters, 'loginsLimited'>,
): ConnectionValidator {
  return async ({ clientId, username, password, address, signal }) => {
    if (username === undefined) {
      if (anonymous === 'never' || !isLoopback(address)) return refused('not-authorized');
      const grants = users().anonymous;
      return { accepted: true, user: undefined, rights: rightsOf(grants, '', clientId) };
    }
    const checked = userNamed(users(), username)?.hash;
    if (password === undefined || !isUtf8(password)) return refused('bad-user-or-password');
    const hash = checked ?? nobodysHash;
    const check = await passwords.check({ password, hash, address, username, signal });
    if (check === 'busy') return refused('server-unavailable', 'too many logins wait');
    if (check === 'limited') {
      counters.loginsLimited++;
      return refused('server-unavailable', `too many wrong passwords came from ${address}`);
    }
    // In a flood a check waits for many seconds, and the file may have changed meanwhile.
    const entry = userNamed(users(), username);
    if (check === 'wrong' || entry === undefined || entry.hash !== checked)
      return refused('bad-user-or-password');
    if (!mayHaveClientId(entry, clientId)) return refused('client-id-refused');
    return { accepted: true, user: entry.name, rights: rightsOf(entry, entry.name, clientId) };
  };
}

/** What a user may do by the file, or anonymous for undefined; undefined for a user that it does not have. */
export function rightsIn(
  users: Users,
  name: string | undefined,
  clientId: string,
): TopicRights | undefined {
  if (name === undefined) return rightsOf(users.anonymous, '', clientId);
  const entry = userNamed(users, name);
  return entry && rightsOf(entry, name, clientId);
}

const userNamed = ({ users }: Users, wanted: string) => users.find(({ name }) => name === wanted);

const rightsOf = (grants: Grants | undefined, user: string, clientId: string) =>
  grants === undefined ? allRights : topicRights(grants, user, clientId);

function mayHaveClientId({ clientIds }: User, clientId: string): boolean {
  return (
    clientIds === undefined ||
    clientIds.some((allowed) =>
      allowed.endsWith('*') ? clientId.startsWith(allowed.slice(0, -1)) : clientId === allowed,
    )
  );
}
