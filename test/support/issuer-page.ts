// The page of an OIDC issuer on which people sign in, and where its clients get tokens: authorization code with PKCE.
import { createHash, randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { CryptoKey } from 'jose';
import { type Claims, discoveryPath, signToken, type TestIssuer } from './issuer.ts';

export interface IssuerPage {
  /** Claims of the access tokens, beside the usual ones. */
  accessClaims: Claims;
  /** Claims of the ID tokens. */
  idClaims: Claims;
  /** What it sends people back with, instead of a code. */
  error: string | undefined;
  /** What clients have asked for, as it stood in the address. */
  readonly asked: URLSearchParams[];
}

/** Who opens `/authorize` is signed in by pressing the one link there. */
export async function addIssuerPage(issuer: TestIssuer): Promise<IssuerPage> {
  const { privateKey } = await issuer.addKey('page');
  const codes = new Map<string, URLSearchParams>();
  const page: IssuerPage = { accessClaims: {}, idClaims: {}, error: undefined, asked: [] };
  issuer.answers.set(discoveryPath, {
    issuer: issuer.url,
    jwks_uri: `${issuer.url}/keys`,
    authorization_endpoint: `${issuer.url}/authorize`,
    token_endpoint: `${issuer.url}/token`,
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
  });
  issuer.pages.set('/authorize', ({ searchParams }, _, response) => {
    page.asked.push(searchParams);
    const code = randomUUID();
    codes.set(code, searchParams);
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    const answer = page.error === undefined ? { code } : { error: page.error };
    const state = searchParams.get('state') ?? '';
    back.search = new URLSearchParams({ ...answer, state, iss: issuer.url }).toString();
    response.setHeader('content-type', 'text/html');
    response.end(
      `<h1>Sign in</h1><a href="${back.href.replaceAll('&', '&amp;')}">Continue as alice</a>`,
    );
  });
  issuer.pages.set('/token', (_, request, response) => {
    void text(request).then(async (body) => {
      const given = new URLSearchParams(body);
      const tokens = await tokensFor(privateKey, given);
      response.statusCode = 'error' in tokens ? 400 : 200;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(tokens));
    });
  });

  async function tokensFor(key: CryptoKey, given: URLSearchParams): Promise<object> {
    const code = given.get('code') ?? '';
    const asked = codes.get(code);
    codes.delete(code);
    const verifier = given.get('code_verifier') ?? '';
    const isSame = ['client_id', 'redirect_uri'].every(
      (name) => asked?.get(name) === given.get(name),
    );
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (asked === undefined || !isSame || asked.get('code_challenge') !== challenge)
      return { error: 'invalid_grant' };
    const sign = (claims: Claims) => signToken(issuer.url, key, { kid: 'page' }, claims);
    const idClaims = { aud: given.get('client_id'), nonce: asked.get('nonce'), ...page.idClaims };
    return {
      token_type: 'Bearer',
      expires_in: 300,
      access_token: await sign(page.accessClaims),
      id_token: await sign(idClaims),
    };
  }
  return page;
}
