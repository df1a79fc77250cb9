// How a handler knows that a request comes from this bridge: by what stands in its headers, of the kind the route asks
// for.

import { v7 as uuidv7 } from 'uuid';
import { sign } from '../../functions/contract/signature.ts';
import type { Secrets } from '../base/secrets.ts';
import type { RouteConfig } from '../config/config.ts';
import { headerSecrets } from '../config/handler.ts';
import { type AuthorizedRoute, openAuthorization, secretHeader } from './authorization.ts';
import type { HandlerRequest } from './request.ts';
import type { RequestSigner, SignatureHeaders } from './request-signer.ts';
import { readSecret, secretForms } from './secret-forms.ts';

export type SignedRoute = AuthorizedRoute &
  Pick<RouteConfig, 'url' | 'auth' | 'secret' | 'secretName' | 'headers'>;

/**
 * All that a route shows its handler: a signature, a credential, headers that are secret. Undefined where it is nothing. `secrets` is
 * needed where the route names some.
 */
export async function openSigner(
  route: SignedRoute,
  secrets?: Secrets,
): Promise<RequestSigner | undefined> {
  const signers = [
    await openSignature(route, secrets),
    openAuthorization(route, secrets),
    ...headerSecrets(route).map(({ name, secret }) => secretHeader(name, secret, secrets)),
  ].filter((signer) => signer !== undefined);
  if (signers.length < 2) return signers[0];
  return {
    async headers(request) {
      const all = await Promise.all(signers.map((signer) => signer.headers(request)));
      return Object.fromEntries(all.flatMap((headers) => Object.entries(headers)));
    },
    doubt() {
      for (const signer of signers) signer.doubt();
    },
  };
}

async function openSignature(
  { url, auth, secret, secretName }: SignedRoute,
  secrets: Secrets | undefined,
): Promise<RequestSigner | undefined> {
  if (auth === 'aws-iam') return (await import('./aws-signing.ts')).awsSigner(url);
  if (secretName !== undefined) return namedSigner(secretName, secrets);
  if (secret === undefined) return undefined;
  return { headers: (request) => webhookHeaders([secret], request), doubt() {} };
}

/** Standard Webhooks, with a secret that is read by its name. */
function namedSigner(name: string, secrets: Secrets | undefined): RequestSigner {
  return {
    async headers(request) {
      return webhookHeaders(await readSecret(name, secretForms.webhook, secrets), request);
    },
    doubt: () => secrets?.doubt(name),
  };
}

/** A handler takes any of several signatures, so that its secret can be changed without a gap. */
function webhookHeaders(
  active: readonly string[],
  { body, id = uuidv7() }: HandlerRequest,
): SignatureHeaders {
  const nowMs = Date.now();
  const all = active.map((secret) => sign(secret, id, body, nowMs));
  return {
    ...all[0],
    'webhook-signature': all.map((headers) => headers['webhook-signature']).join(' '),
  };
}
