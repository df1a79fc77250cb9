// An OIDC issuer on loopback, for tests: discovery document, keys, and tokens signed with them.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';

export interface TestIssuer {
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** What it answers at a path, instead of its own documents; a number is a status, 302 to the keys. */
  readonly answers: Map<string, unknown>;
  /** What answers at a path, whatever the query; before the documents. */
  readonly pages: Map<string, Page>;
  /** Makes a key and publishes it. */
  addKey(kid: string, algorithm?: string): Promise<{ privateKey: CryptoKey; publicKey: JWK }>;
  removeKey(kid: string): void;
  close(): Promise<void>;
}

export type Page = (url: URL, request: IncomingMessage, response: ServerResponse) => void;

export const discoveryPath = '/.well-known/openid-configuration';

let rsaKey: Promise<JWK> | undefined;

async function newKey(algorithm: string): Promise<JWK> {
  return exportJWK((await generateKeyPair(algorithm, { extractable: true })).privateKey);
}

/** A pair of its own, but for RSA, where making one takes long: those are the same numbers for every algorithm. */
async function keyPair(algorithm: string): Promise<{ privateKey: CryptoKey; publicKey: JWK }> {
  const isRsa = /^[RP]S/.test(algorithm);
  if (isRsa) rsaKey ??= newKey('RS256');
  const { alg: _, ...jwk } = await (isRsa && rsaKey ? rsaKey : newKey(algorithm));
  const { d, p, q, dp, dq, qi, ...publicKey } = jwk;
  return { privateKey: (await importJWK(jwk, algorithm)) as CryptoKey, publicKey };
}

export async function startIssuer(): Promise<TestIssuer> {
  const keys = new Map<string, JWK>();
  const requests: string[] = [];
  const answers = new Map<string, unknown>();
  const pages = new Map<string, Page>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    // Pages of others may read it.
    response.setHeader('access-control-allow-origin', '*');
    const page = pages.get(new URL(path, url).pathname);
    if (page !== undefined) return page(new URL(path, url), request, response);
    const documents = new Map<string, unknown>([
      [discoveryPath, { issuer: url, jwks_uri: `${url}/keys` }],
      ['/keys', { keys: [...keys.values()] }],
      ...answers,
    ]);
    const document = documents.get(path) ?? 404;
    response.statusCode = typeof document === 'number' ? document : 200;
    if (response.statusCode === 302) response.setHeader('location', '/keys');
    response.end(typeof document === 'string' ? document : JSON.stringify(document));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    answers,
    pages,
    async addKey(kid, algorithm = 'ES256') {
      const { privateKey, publicKey } = await keyPair(algorithm);
      const jwk = { ...publicKey, kid, alg: algorithm };
      keys.set(kid, jwk);
      return { privateKey, publicKey: jwk };
    },
    removeKey: (kid) => void keys.delete(kid),
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Claims of a token, right or wrong. */
export type Claims = Readonly<Record<string, unknown>>;

/** A signed token; `claims` replace the usual ones, and leave out those that are undefined. */
export async function signToken(
  issuer: string,
  key: CryptoKey | Uint8Array,
  header: { readonly alg?: string; readonly kid?: string },
  claims: Claims = {},
): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const payload = {
    iss: issuer,
    aud: 'causeway',
    sub: 'alice',
    iat: seconds,
    exp: seconds + 300,
    ...claims,
  };
  return new SignJWT(payload as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(key);
}
