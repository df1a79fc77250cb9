// What the console has to know to send somebody to the sign-in page of an issuer: the api writes it into the page.
export interface IssuerSignIn {
  /** The issuer, as its discovery document names itself. */
  readonly issuer: string;
  /** What the issuer knows the console by: a public client, which has no secret. */
  readonly clientId: string;
  /** What the api's tokens have to be for. */
  readonly audience: string;
  /** What is asked for beside `openid`. */
  readonly scopes: readonly string[];
}

/** Name of the page's `meta` element that holds an {@link IssuerSignIn} as JSON. */
export const issuerMeta = 'causeway-issuer';
