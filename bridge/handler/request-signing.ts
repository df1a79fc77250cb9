// How a handler knows that a request comes from this bridge: by what stands in its headers, of the kind the route asks
// for.
import { v7 as uuidv7 } from 'uuid';
import * as z from 'zod';
import { sign } from '../../functions/contract/signature.ts';
import type { RouteConfig } from '../config.ts';
import type { Secrets } from '../secrets.ts';
import { type AuthorizedRoute, openAuthorization } from './authorization.ts';
import { webhookSecret } from './config.ts';
import type { HandlerRequest } from './request.ts';

export type SignatureHeaders = Readonly<Record<string, string>>;

export interface RequestSigner {
  /** Headers that sign `request`. Rejects, with a reason that may be shown, where what it takes cannot be had. */
  headers(request: HandlerRequest): SignatureHeaders | Promise<SignatureHeaders>;
  /** The handler did not accept the signature: what it was made with may have been rotated. */
  doubt(): void;
}

export type SignedRoute = AuthorizedRoute &
  Pick<RouteConfig, 'url' | 'auth' | 'secret' | 'secretName'>;

/**
 * All that a route shows its handler: a signature, a credential, or both. Undefined where it is nothing. `secrets` is
 * needed where the route names some.
 */
export async function openSigner(
  route: SignedRoute,
  secrets?: Secrets,
): Promise<RequestSigner | undefined> {
  const signers = [await openSignature(route, secrets), openAuthorization(route, secrets)].filter(
    (signer) => signer !== undefined,
  );
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
      if (secrets === undefined) throw new Error(`there is no store for the secret ${name}`);
      const active = webhookSecretsIn(await secrets.read(name));
      if (active !== undefined) return webhookHeaders(active, request);
      // Mended there, it has to be read again.
      secrets.doubt(name);
      throw new Error(`the secret ${name} must be whsec_…, or up to 8 of them in JSON or lines`);
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

const activeSchema = z.array(webhookSecret).min(1).max(8);

/** The secrets in a text: one, one a line, or a JSON list. Undefined where it is none of these. */
export function webhookSecretsIn(text: string): string[] | undefined {
  return activeSchema.safeParse(text.trim().startsWith('[') ? parsed(text) : lines(text)).data;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
