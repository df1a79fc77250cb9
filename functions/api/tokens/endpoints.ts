// /v1/me and /v1/tokens: who the caller is, and the tokens of the table, which an admin makes, lists and revokes.
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { tokenName, tokenScopes } from '../access/token-fields.ts';
import { isTokenId, type TokenStore } from '../access/tokens.ts';
import { adminEndpoint, type Endpoint, endpoint, type Operation } from '../interface/operation.ts';

const scopesField = z
  .array(z.string())
  .describe('`admin`, or `read:`, `publish:` or `delete:` and a topic filter.')
  .meta({ examples: [['read:rooms/#']] });

const expiresAtField = z.iso
  .datetime({ precision: 0 })
  .optional()
  .describe('Absent where it does not expire.');

const meSchema = z
  .strictObject({
    id: z.string().describe('Unique among all callers: `token:<id>`, `jwt:<issuer>:<subject>`.'),
    name: z.string().describe('What it was called when it was made.'),
    scopes: scopesField,
    isAdmin: z.boolean().describe('Whether `admin` is among the scopes: it allows everything.'),
    expiresAt: expiresAtField,
  })
  .meta({ id: 'Caller', description: 'Whose the token of the request is, and what it may do.' });

const entryFields = {
  id: z.string(),
  name: z.string(),
  scopes: scopesField,
  createdAt: z.iso.datetime({ precision: 0 }),
  expiresAt: expiresAtField,
  lastUsedAt: z.iso
    .datetime({ precision: 0 })
    .optional()
    .describe('Up to an hour behind; absent where it was never used.'),
};

const tokenSchema = z
  .strictObject(entryFields)
  .meta({ id: 'Token', description: 'A token, without its secret: that is shown once.' });

const madeSchema = z
  .strictObject({
    ...entryFields,
    token: z.string().describe('What is sent as `Authorization: Bearer …`. It is kept nowhere.'),
  })
  .meta({ id: 'NewToken', description: 'A token that was just made.' });

const me = {
  id: 'getMe',
  method: 'get',
  path: '/v1/me',
  tag: 'Access',
  summary: 'Whose the token of this request is, and what it may do',
  answers: {
    200: { description: 'The caller.', content: { 'application/json': meSchema } },
  },
  problems: [],
} satisfies Operation;

const list = {
  id: 'listTokens',
  method: 'get',
  path: '/v1/tokens',
  tag: 'Access',
  summary: 'All tokens',
  description:
    'In the order of their ids; those that have expired are among them until the table deletes them, within days. Callers of an issuer (`api.oidc`) are not in this list.',
  answers: {
    200: {
      description: 'The tokens.',
      content: {
        'application/json': z
          .strictObject({ tokens: z.array(tokenSchema) })
          .meta({ id: 'TokenList' }),
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation;

const newToken = z
  .strictObject({
    name: tokenName.describe('For readers of the list.').meta({ examples: ['dashboard'] }),
    scopes: tokenScopes.min(1, 'is needed, once or more'),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z' })
      .refine((text) => !(Date.parse(text) <= Date.now()), 'must be a time to come')
      .optional()
      .describe('When it stops, in whole seconds; without it, never.')
      .meta({ examples: ['2099-01-01T00:00:00Z'] }),
  })
  .meta({ id: 'TokenRequest' });

const create = {
  id: 'createToken',
  method: 'post',
  path: '/v1/tokens',
  tag: 'Access',
  summary: 'Make a token',
  description: 'It works at once. Its text is in this answer and nowhere else.',
  // A hundred scopes with filters of a thousand bytes, each escaped in six.
  body: { schema: newToken, maxBytes: 1024 * 1024 },
  commands: () => 1,
  answers: {
    201: { description: 'The token.', content: { 'application/json': madeSchema } },
  },
  problems: ['forbidden'],
} satisfies Operation;

const idParameters = z.strictObject({
  id: z
    .string()
    .refine(isTokenId)
    .meta({ description: 'The id of the token.', examples: ['0123456789abcdef'] }),
});

const revoke = {
  id: 'revokeToken',
  method: 'delete',
  path: '/v1/tokens/{id}',
  tag: 'Access',
  summary: 'Revoke a token, for good',
  description: 'It stops within a second.',
  params: idParameters,
  commands: () => 1,
  answers: { 204: { description: 'It is gone.' } },
  problems: ['forbidden', 'not-found'],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type TokenOperations = typeof me | typeof list | typeof create | typeof revoke;

export function tokenEndpoints(store: Pick<TokenStore, 'create' | 'list' | 'revoke'>): Endpoint[] {
  return [
    endpoint(me, ({ principal: { id, name, scopes, isAdmin, expiresAt } }) =>
      Response.json({ id, name, scopes, isAdmin, expiresAt }),
    ),
    adminEndpoint(list, async () => Response.json({ tokens: await store.list() })),
    adminEndpoint(create, async ({ body: { name, scopes, expiresAt } }) => {
      const { entry, token } = await store.create({
        name,
        scopes,
        ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
      });
      return Response.json({ ...entry, token }, { status: 201 });
    }),
    adminEndpoint(revoke, async ({ params }) =>
      (await store.revoke(params.id))
        ? new Response(null, { status: 204 })
        : problemResponse(problem('not-found')),
    ),
  ];
}
