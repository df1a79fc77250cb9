// Scopes: what a credential allows, as text (`read:devices/#`, `admin`) and as the rights of its principal.
import { type Problem, problem, problemResponse } from '../../contract/problem.ts';
import { filterFault, intersectionOf, matchesFilter } from '../../contract/topic.ts';
import { type Principal, type Right, rights } from './principal.ts';

/** Maximum scopes that a credential may have. */
export const maxScopes = 100;

/** Longest topic filter of a scope, in bytes of UTF-8. */
export const maxScopeFilterBytes = 1024;

export type Scope =
  | { readonly kind: 'admin' }
  | { readonly kind: 'topics'; readonly right: Right; readonly filter: string };

export type ParsedScope =
  | { readonly ok: true; readonly scope: Scope }
  | { readonly ok: false; readonly fault: string };

const form = `must be admin, or ${rights.map((right) => `${right}:<topic filter>`).join(', ')}`;

/**
 * Parses `read:<topic filter>`, `publish:<filter>`, `delete:<filter>` or `admin`. The filter is taken to the letter:
 * nothing is trimmed, decoded, folded or normalized, here or when it is matched.
 */
export function parseScope(text: string): ParsedScope {
  if (text === 'admin') return { ok: true, scope: { kind: 'admin' } };
  const colon = text.indexOf(':');
  const right = rights.find((name) => name === text.slice(0, colon));
  if (right === undefined) return { ok: false, fault: form };
  const filter = text.slice(colon + 1);
  const fault = scopeFilterFault(filter);
  if (fault !== undefined) return { ok: false, fault: `the topic filter ${fault}` };
  return { ok: true, scope: { kind: 'topics', right, filter } };
}

function scopeFilterFault(filter: string): string | undefined {
  if (Buffer.byteLength(filter) > maxScopeFilterBytes)
    return `must be at most ${maxScopeFilterBytes} bytes in UTF-8`;
  // A shared subscription is a way to subscribe, not a set of topics.
  if (filter === '$share' || filter.startsWith('$share/'))
    return 'must not be a shared one ($share)';
  return filterFault(filter);
}

/** A scope as {@link parseScope} takes it. */
export function scopeText(scope: Scope): string {
  return scope.kind === 'admin' ? 'admin' : `${scope.right}:${scope.filter}`;
}

/**
 * The scopes among texts that somebody else wrote down, {@link maxScopes} at most: an issuer's, or those of a newer
 * version in the table. What is none of ours grants nothing.
 */
export function knownScopes(texts: readonly string[]): Scope[] {
  return texts
    .map(parseScope)
    .flatMap((parsed) => (parsed.ok ? [parsed.scope] : []))
    .slice(0, maxScopes);
}

/** The principal that has these scopes, and with none of them may do nothing; its name is its id by default. */
export function principalOf(
  id: string,
  scopes: readonly Scope[],
  { name = id, expiresAt }: Partial<Pick<Principal, 'name' | 'expiresAt'>> = {},
): Principal {
  return {
    id,
    name,
    scopes: scopes.map(scopeText),
    expiresAt,
    isAdmin: scopes.some(({ kind }) => kind === 'admin'),
    can(right, topic) {
      // A filter is no topic name: who may read each of its topics may not for that do anything to all of them.
      if (topic === '' || /[+#]/.test(topic)) return false;
      return scopes.some((scope) => allows(scope, right, topic));
    },
    within(right, filter) {
      const parts = scopes.map((scope) => part(scope, right, filter));
      return [...new Set(parts)].filter((one) => one !== undefined);
    },
  };
}

function allows(scope: Scope, right: Right, topic: string): boolean {
  // No filter with a leading wildcard matches $ topics: who may publish to some of them has a scope that names them.
  return scope.kind === 'admin' || (scope.right === right && matchesFilter(scope.filter, topic));
}

/** What of a filter's topics a scope gives the right on. */
function part(scope: Scope, right: Right, filter: string): string | undefined {
  if (scope.kind === 'admin') return filter;
  return scope.right === right ? intersectionOf(scope.filter, filter) : undefined;
}

/** The longest topic that a problem repeats, in characters. */
const maxToldTopic = 256;

/** What a caller lacks that does not have the right on a topic: which scope it would take. */
export function lack(right: Right, topic: string): Problem {
  const what = topic.length > maxToldTopic ? 'the topic' : topic;
  const detail = `the token needs the scope ${right}:<topic filter>, with a filter that matches ${what}`;
  return problem('forbidden', detail);
}

/** The same as an answer. */
export function missing(right: Right, topic: string): Response {
  return problemResponse(lack(right, topic));
}

/** The same of what takes the scope `admin`. */
export function missingAdmin(): Response {
  return problemResponse(problem('forbidden', 'the token needs the scope admin'));
}
