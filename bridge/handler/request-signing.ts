// How a handler knows that a request comes from this bridge: a signature in its headers, of the kind the route asks for.
import { v7 as uuidv7 } from 'uuid';
import * as z from 'zod';
import { sign } from '../../functions/contract/signature.ts';
import type { RouteConfig } from '../config.ts';
import { webhookSecret } from '../route-config.ts';
import type { Secrets } from '../secrets.ts';

export type SignatureHeaders = Readonly<Record<string, string>>;

export interface RequestSigner {
  /** Headers for a POST of `body`. Rejects, with a reason that may be shown, where what it takes cannot be had. */
  headers(body: Buffer): SignatureHeaders | Promise<SignatureHeaders>;
  /** The handler did not accept the signature: what it was made with may have been rotated. */
  doubt(): void;
}

type SignedRoute = Pick<RouteConfig, 'url' | 'auth' | 'secret' | 'secretName'>;

/** The signer of a route; undefined where its requests are not signed. `secrets` is needed for a `secretName`. */
export async function openSigner(
  { url, auth, secret, secretName }: SignedRoute,
  secrets?: Secrets,
): Promise<RequestSigner | undefined> {
  if (auth === 'aws-iam') return (await import('./aws-signing.ts')).awsSigner(url);
  if (secretName !== undefined && secrets !== undefined) return namedSigner(secretName, secrets);
  if (secret === undefined) return undefined;
  return { headers: (body) => webhookHeaders([secret], body), doubt() {} };
}

/** Standard Webhooks, with a secret that is read by its name. */
function namedSigner(name: string, secrets: Secrets): RequestSigner {
  return {
    async headers(body) {
      const active = webhookSecretsIn(await secrets.read(name));
      if (active !== undefined) return webhookHeaders(active, body);
      // Mended there, it has to be read again.
      secrets.doubt(name);
      throw new Error(`the secret ${name} must be whsec_…, or up to 8 of them in JSON or lines`);
    },
    doubt: () => secrets.doubt(name),
  };
}

/** A handler takes any of several signatures, so that its secret can be changed without a gap. */
function webhookHeaders(active: readonly string[], body: Buffer): SignatureHeaders {
  const id = uuidv7();
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
