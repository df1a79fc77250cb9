// The token that a device shows to OneNET as its password: made from a key, good for one resource until a time. Pure.
// Source: OneNET documentation, "token 算法" (open.iot.10086.cn, multiprotocol/manual/auth/token).
import { createHmac } from 'node:crypto';
import type { TokenMethod } from '../config/onenet.ts';

export interface TokenParts {
  /** What it gives access to: `products/{pid}`, or `products/{pid}/devices/{name}`. */
  readonly resource: string;
  /** Seconds since 1970; the platform refuses the token from then on. */
  readonly expiresAtSeconds: number;
  readonly method: TokenMethod;
  /** The key of that product or device, in base64 as the platform gives it out. */
  readonly key: string;
}

/** The only version that there is. */
const version = '2018-10-31';

/** The values as they are get signed, in the order of their names; then each is encoded for itself. */
export function oneNetToken({ resource, expiresAtSeconds, method, key }: TokenParts): string {
  const text = [expiresAtSeconds, method, resource, version].join('\n');
  const sign = createHmac(method, Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
  const fields = { version, res: resource, et: String(expiresAtSeconds), method, sign };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

/** The resource of a product's key, or of one device's. */
export function tokenResource(productId: string, device?: string): string {
  const product = `products/${productId}`;
  return device === undefined ? product : `${product}/devices/${device}`;
}
