// The console at `/`, served as files that a build has made: compressed once, kept by browsers as their names allow.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { loadOnce } from '../contract/load-once.ts';
import { problem, problemResponse } from '../contract/problem.ts';
import { type IssuerSignIn, issuerMeta } from '../contract/sign-in.ts';

/** Built files by their name: `index.html`, and those under `assets/`, whose names change with their content. */
export type ConsoleFiles = ReadonlyMap<string, Uint8Array>;

/** Gives the files when they are first asked for. */
export type LoadConsole = () => Promise<ConsoleFiles>;

/** Reads the files of a folder into which a build has put them. */
export async function readConsole(folder: string): Promise<ConsoleFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const nameOf = (path: string) => relative(folder, path).split(sep).join('/');
  return new Map(
    await Promise.all(paths.map(async (path) => [nameOf(path), await readFile(path)] as const)),
  );
}

/** Where the console is, for everyone: without a token it shows nothing. */
export const consolePaths = ['/', '/assets/{file}'] as const;

/** The script of /docs among the files. */
export async function docsScriptOf(load: LoadConsole): Promise<string | undefined> {
  const name = [...(await load()).keys()].find((one) => one.startsWith('assets/docs-'));
  return name === undefined ? undefined : `/${name}`;
}

/**
 * Only what this server has: no script in the page, no style attribute, no other host, no frame around it. Where people
 * sign in at an issuer, the page asks that one too, for its discovery document and for a token.
 */
const policyOf = (signIn: IssuerSignIn | undefined) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self'${signIn === undefined ? '' : ` ${new URL(signIn.issuer).origin}`}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

interface Served {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** What of an issuer's settings the console is told; undefined where it is no client of the issuer. */
export function signInOf(
  oidc: (Omit<IssuerSignIn, 'clientId'> & { readonly clientId?: string | undefined }) | undefined,
): IssuerSignIn | undefined {
  if (oidc?.clientId === undefined) return undefined;
  const { issuer, clientId, audience, scopes } = oidc;
  return { issuer, clientId, audience, scopes };
}

/** Serves the console; with `signIn`, people can sign in at that issuer. */
export function consoleRoutes(load: LoadConsole, signIn?: IssuerSignIn): Hono {
  const app = new Hono();
  const files = loadOnce(async () => served(await load(), signIn));

  const answer = async (context: Context, name: string) => {
    const file = (await files()).get(name);
    if (file === undefined) return problemResponse(problem('not-found'));
    const { bytes, gzipped, headers } = file;
    if (context.req.header('if-none-match') === headers['etag'])
      return context.body(null, 304, headers);
    const takesGzip = /\bgzip\b/.test(context.req.header('accept-encoding') ?? '');
    return takesGzip
      ? context.body(gzipped, 200, { ...headers, 'content-encoding': 'gzip' })
      : context.body(bytes, 200, headers);
  };
  app.get('/', (context) => answer(context, 'index.html'));
  app.get('/assets/:file', (context) => answer(context, `assets/${context.req.param('file')}`));
  return app;
}

function served(
  files: ConsoleFiles,
  signIn: IssuerSignIn | undefined,
): ReadonlyMap<string, Served> {
  const contentSecurityPolicy = policyOf(signIn);
  return new Map(
    [...files].map(([name, content]) => {
      const isTold = signIn !== undefined && name === 'index.html';
      const bytes = new Uint8Array(isTold ? telling(content, signIn) : content);
      const headers = {
        'content-type': types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
        // The page is asked for again each time, and what it names never is.
        'cache-control': name.startsWith('assets/')
          ? 'public, max-age=31536000, immutable'
          : 'no-cache',
        etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
        vary: 'accept-encoding',
        'content-security-policy': contentSecurityPolicy,
      };
      return [name, { bytes, gzipped: new Uint8Array(gzipSync(bytes, { level: 9 })), headers }];
    }),
  );
}

/** The page with what it is to know of the issuer. */
function telling(page: Uint8Array, signIn: IssuerSignIn): Uint8Array {
  const content = JSON.stringify(signIn)
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;');
  const meta = `<meta name="${issuerMeta}" content="${content}">`;
  return Buffer.from(
    Buffer.from(page)
      .toString()
      .replace('</head>', () => `${meta}\n</head>`),
  );
}
