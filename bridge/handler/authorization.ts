// The Authorization header of a route's requests: a token or a name and password, from the config or from a secret.
import { parseWith } from '../../functions/contract/parse.ts';
import type { RouteConfig } from '../config.ts';
import type { Secrets } from '../secrets.ts';
import { basicCredentials, bearerToken } from './config.ts';
import type { RequestSigner } from './request-signing.ts';

export type AuthorizedRoute = Pick<
  RouteConfig,
  'bearerToken' | 'bearerSecret' | 'basic' | 'basicSecret'
>;

/** Undefined where the route has none. `secrets` is needed for a `bearerSecret` or `basicSecret`. */
export function openAuthorization(
  { bearerToken: token, bearerSecret, basic, basicSecret }: AuthorizedRoute,
  secrets: Secrets | undefined,
): RequestSigner | undefined {
  if (bearerSecret !== undefined)
    return named(bearerSecret, secrets, bearerOf, 'a token: printable ASCII without spaces');
  if (basicSecret !== undefined)
    return named(basicSecret, secrets, basicOf, 'a JSON object with username and password');
  if (token !== undefined) return fixed(`Bearer ${token}`);
  return basic === undefined ? undefined : fixed(basicHeader(basic));
}

function fixed(authorization: string): RequestSigner {
  return { headers: () => ({ authorization }), doubt() {} };
}

function named(
  name: string,
  secrets: Secrets | undefined,
  headerOf: (text: string) => string | undefined,
  form: string,
): RequestSigner {
  return {
    async headers() {
      if (secrets === undefined) throw new Error(`there is no store for the secret ${name}`);
      const authorization = headerOf(await secrets.read(name));
      if (authorization !== undefined) return { authorization };
      // Mended there, it has to be read again.
      secrets.doubt(name);
      throw new Error(`the secret ${name} must be ${form}`);
    },
    doubt: () => secrets?.doubt(name),
  };
}

/** Whoever keeps a token in a file or a console leaves a line break behind it. */
function bearerOf(text: string): string | undefined {
  const token = parseWith(bearerToken, text.trim());
  return token.ok ? `Bearer ${token.value}` : undefined;
}

function basicOf(text: string): string | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  const credentials = parseWith(basicCredentials, document);
  return credentials.ok ? basicHeader(credentials.value) : undefined;
}

/** RFC 7617, in UTF-8. */
function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
