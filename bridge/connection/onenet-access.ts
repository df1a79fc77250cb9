// What one of the bridge's devices shows to OneNET: product and password for a connection, by its client id.
import * as z from 'zod';
import { type OneNetConfig, oneNetSecretName, renewAfterSeconds } from '../config/onenet.ts';
import { oneNetToken, tokenResource } from './onenet-token.ts';

export interface OneNetAccess {
  readonly username: string;
  readonly password: string;
  /** Time after which the connection has to be replaced, as the password expires: milliseconds. */
  readonly renewAfterMs?: number;
}

const keysSchema = z.record(z.string(), z.base64());

/**
 * `readSecret` gives the text of the secret that `broker.onenet` names. Rejects, with a reason that may be shown, where
 * there is no usable key for the device.
 */
export async function oneNetAccess(
  onenet: OneNetConfig,
  clientId: string,
  readSecret: (name: string) => Promise<string>,
  nowMs: number,
): Promise<OneNetAccess> {
  const name = oneNetSecretName(onenet);
  const secret = name === undefined ? undefined : (await readSecret(name)).trim();
  const { productId: username } = onenet;
  if (onenet.platform === 'device') {
    const password = secret ?? onenet.apiKey ?? onenet.authInfo?.[clientId];
    if (password === undefined) throw new Error(`broker.onenet.authInfo has no device ${clientId}`);
    return { username, password };
  }
  const { keyOf, method, tokenSeconds } = onenet;
  const key = keyOf === 'product' ? (secret ?? onenet.key) : deviceKey(onenet, clientId, secret);
  if (key === undefined || !isKey(key)) throw new Error(faultText(onenet, clientId));
  const password = oneNetToken({
    resource: tokenResource(username, keyOf === 'device' ? clientId : undefined),
    expiresAtSeconds: Math.floor(nowMs / 1000) + tokenSeconds,
    method,
    key,
  });
  return { username, password, renewAfterMs: renewAfterSeconds(tokenSeconds) * 1000 };
}

type TokenConfig = Extract<OneNetConfig, { platform: 'token' }>;

function deviceKey({ deviceKeys }: TokenConfig, clientId: string, secret: string | undefined) {
  if (secret === undefined) return deviceKeys?.[clientId];
  try {
    const keys = keysSchema.safeParse(JSON.parse(secret));
    return keys.success && Object.hasOwn(keys.data, clientId) ? keys.data[clientId] : undefined;
  } catch {
    // The error of JSON.parse repeats what it could not read.
    return undefined;
  }
}

function isKey(text: string): boolean {
  return text !== '' && z.base64().safeParse(text).success;
}

function faultText({ keyOf, keySecret }: TokenConfig, clientId: string): string {
  if (keySecret === undefined) return `broker.onenet.deviceKeys has no device ${clientId}`;
  return keyOf === 'product'
    ? `the secret ${keySecret} must be the product's key, in base64`
    : `the secret ${keySecret} must be a JSON object that has the base64 key of the device ${clientId}`;
}
