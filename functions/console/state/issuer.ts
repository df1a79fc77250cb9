// The sign-in at an issuer as this tab has it: which issuer the page names, and what came back from there.
import { type IssuerSignIn, issuerMeta } from '../../contract/sign-in.ts';
import type { Failure, Result } from '../client/client.ts';
import { type Begun, begin, finish, signInFailure } from '../client/issuer.ts';
import { forget, keep, kept } from './session.ts';

const key = 'causeway.sign-in';

/** Where people can sign in; undefined where a token is all there is. */
export const issuer = issuerInPage();

/** The issuer's answer in the address, which it leaves at once; a code is good once, and only with what this tab has. */
const answer = issuer === undefined ? undefined : takeAnswer();

/** Whether somebody has just come back from the issuer. */
export const isAnswered = answer !== undefined;

const redirectUri = `${location.origin}/`;

/** Leaves for the issuer's page; resolves where that cannot be. */
export async function leaveForIssuer(): Promise<Failure | undefined> {
  if (issuer === undefined) return undefined;
  const result = await begin(issuer, redirectUri, location.hash);
  if (!result.ok) return result.failure;
  keep(key, JSON.stringify(result.value.begun));
  location.assign(result.value.address);
  return undefined;
}

/** The token for which somebody came back. */
export async function tokenOfAnswer(): Promise<Result<string>> {
  if (issuer === undefined || answer?.begun === undefined)
    return { ok: false, failure: signInFailure('it was not begun in this tab: begin it again') };
  return finish(issuer, redirectUri, answer.address, answer.begun);
}

function issuerInPage(): IssuerSignIn | undefined {
  const meta = document.querySelector<HTMLMetaElement>(`meta[name="${issuerMeta}"]`);
  return meta === null ? undefined : (JSON.parse(meta.content) as IssuerSignIn);
}

function takeAnswer(): { address: URL; begun: Begun | undefined } | undefined {
  const address = new URL(location.href);
  const { searchParams } = address;
  if (!searchParams.has('code') && !searchParams.has('error')) return undefined;
  const text = kept(key);
  forget(key);
  const begun = text === undefined ? undefined : (JSON.parse(text) as Begun);
  history.replaceState(null, '', `/${begun?.place ?? ''}`);
  address.hash = '';
  return { address, begun };
}
