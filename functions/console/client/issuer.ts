// Sign-in at an issuer's page: the authorization code flow of OpenID Connect with PKCE, as a public client (RFC 9700, 2.1.1).
import * as oauth from 'oauth4webapi';
import type { IssuerSignIn } from '../../contract/sign-in.ts';
import type { Failure, Result } from './client.ts';

/** What has to be remembered between the way to the issuer's page and the way back. */
export interface Begun {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Fragment of the address, to come back to. */
  readonly place: string;
}

/** Longest wait for an answer of the issuer. */
const timeoutMs = 15_000;
/** Characters of an issuer's own words that are shown. */
const maxText = 300;

const optionsOf = ({ issuer }: IssuerSignIn) => ({
  // The server takes no other http issuer than one on loopback.
  [oauth.allowInsecureRequests]: issuer.startsWith('http:'),
  signal: () => AbortSignal.timeout(timeoutMs),
});

async function discover(issuer: IssuerSignIn): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer.issuer);
  const response = await oauth.discoveryRequest(url, { algorithm: 'oidc', ...optionsOf(issuer) });
  return oauth.processDiscoveryResponse(url, response);
}

/** Where to send the browser, and what to remember. `redirectUri` is where it comes back. */
export function begin(
  issuer: IssuerSignIn,
  redirectUri: string,
  place: string,
): Promise<Result<{ address: string; begun: Begun }>> {
  return outcomeOf(issuer, async () => {
    const server = await discover(issuer);
    const address = new URL(server.authorization_endpoint ?? 'about:blank');
    if (address.protocol !== new URL(issuer.issuer).protocol)
      throw new Error('its discovery document names no authorization endpoint');
    const begun = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      place,
    };
    const parameters = {
      response_type: 'code',
      client_id: issuer.clientId,
      redirect_uri: redirectUri,
      scope: ['openid', ...issuer.scopes].join(' '),
      // Some issuers make a JWT for an API only where it is named; the others leave it out (RFC 6749, 3.1).
      ...(isForApi(issuer) && { audience: issuer.audience }),
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return { address: address.href, begun };
  });
}

/** The token that the issuer gives for its answer, which is the address that the browser came back to. */
export function finish(
  issuer: IssuerSignIn,
  redirectUri: string,
  answer: URL,
  { state, nonce, verifier }: Begun,
): Promise<Result<string>> {
  return outcomeOf(issuer, async () => {
    const server = await discover(issuer);
    const client = { client_id: issuer.clientId };
    const parameters = oauth.validateAuthResponse(server, client, answer, state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      redirectUri,
      verifier,
      optionsOf(issuer),
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    return isForApi(issuer) ? tokens.access_token : (tokens.id_token ?? '');
  });
}

/** Where the api is a client of its own, the access token is for it; else the ID token, which is for the console. */
const isForApi = ({ audience, clientId }: IssuerSignIn) => audience !== clientId;

async function outcomeOf<T>({ issuer }: IssuerSignIn, work: () => Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await work(), text: '' };
  } catch (error) {
    return { ok: false, failure: failureOf(error, new URL(issuer).host) };
  }
}

function failureOf(error: unknown, host: string): Failure {
  const isRefusal =
    error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError;
  if (isRefusal) {
    const { error: code, error_description: description } = error;
    return signInFailure(`${host} answered ${[code, description].filter(Boolean).join(': ')}`);
  }
  // What a browser says of a request that it could not or must not make tells a reader nothing.
  const isUnreachable = error instanceof TypeError || error instanceof DOMException;
  return signInFailure(
    isUnreachable
      ? `${host} could not be asked: it is away, or does not let this page ask it (CORS)`
      : `${host}: ${error instanceof Error ? error.message : error}`,
  );
}

export function signInFailure(detail: string): Failure {
  return {
    code: 'sign-in-failed',
    status: 0,
    title: 'The sign-in failed',
    detail: detail.slice(0, maxText),
  };
}
