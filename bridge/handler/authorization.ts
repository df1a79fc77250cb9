// The Authorization header of a route's requests: a token or a name and password, from the config or from a secret.
import type { Secrets } from '../base/secrets.ts';
import type { RouteConfig } from '../config/config.ts';
import type { RequestSigner } from './request-signer.ts';
import { readSecret, type SecretForm, secretForms } from './secret-forms.ts';

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
    return fromSecret('authorization', bearerSecret, secretForms.bearer, bearerHeader, secrets);
  if (basicSecret !== undefined)
    return fromSecret('authorization', basicSecret, secretForms.basic, basicHeader, secrets);
  if (token !== undefined) return fixed(bearerHeader(token));
  return basic === undefined ? undefined : fixed(basicHeader(basic));
}

/** A header whose value stands in a secret. */
export function secretHeader(
  name: string,
  secret: string,
  secrets: Secrets | undefined,
): RequestSigner {
  return fromSecret(name, secret, secretForms.header, (text) => text, secrets);
}

function fixed(authorization: string): RequestSigner {
  return { headers: () => ({ authorization }), doubt() {} };
}

function fromSecret<T>(
  header: string,
  name: string,
  form: SecretForm<T>,
  textOf: (value: T) => string,
  secrets: Secrets | undefined,
): RequestSigner {
  return {
    async headers() {
      return { [header]: textOf(await readSecret(name, form, secrets)) };
    },
    doubt: () => secrets?.doubt(name),
  };
}

function bearerHeader(token: string): string {
  return `Bearer ${token}`;
}

/** RFC 7617, in UTF-8. */
function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
