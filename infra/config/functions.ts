// The config's sections `api`, `ingest` and `push`: what callers and platforms may do, and the functions' sizes.
import * as z from 'zod';
import { secretName } from '../../bridge/config/names.ts';
import { routeFields } from '../../bridge/config/route.ts';
import { limitFields } from '../../functions/api/access/limits.ts';
import { isSafeUrl, safeUrlRule } from '../../functions/api/access/safe-url.ts';

const reservedConcurrency = z.int().min(1).max(1000).optional();

export const apiSchema = z.strictObject({
  corsOrigins: z
    .array(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && new URL(text).origin === text,
          'must be an origin, such as https://app.example.com',
        ),
    )
    .max(20)
    .default([])
    .describe('Web pages that may call the API; none by default'),
  requestsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Maximum requests a second over all callers, held by API Gateway; as many at once'),
  ...limitFields,
  replyTopic: z
    .string()
    .min(1)
    .max(1024)
    .refine((text) => text.includes('{commandId}'), 'must contain {commandId}')
    .optional()
    .describe(
      'Where devices answer commands that name no response topic: `{topic}`, `{commandId}`',
    ),
  commandFilters: z
    .array(routeFields.shape.filter)
    .min(1)
    .max(50)
    .default(['#'])
    .describe(
      'With `broker.auth`: the topics of commands and replies, and so the rights of the bridge',
    ),
  oidc: z
    .strictObject({
      issuer: z.string().refine(isSafeUrl, safeUrlRule).describe('Issuer of the JWTs'),
      audience: z.string().min(1).max(1000).describe('Audience that a JWT must be for'),
      scopeClaim: z.string().min(1).max(100).default('scope').describe('Claim with the scopes'),
      clientId: z
        .string()
        .min(1)
        .max(1000)
        .optional()
        .describe(
          "The console's client id at the issuer; with it people sign in there (a public client, its redirect URI is the console's address)",
        ),
      scopes: z
        .array(
          z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,1000}$/, 'must be a scope of OAuth 2.0'),
        )
        .max(100)
        .default([])
        .describe('What the console asks the issuer for, beside `openid`'),
    })
    .optional()
    .describe('Accept the JWTs of this issuer beside the tokens of the table'),
  memoryMiB: z.int().min(128).max(10_240).default(512).describe('Memory of the api function'),
  reservedConcurrency: reservedConcurrency.describe(
    'Maximum instances of the api function, taken from those of the account; a new account has 10 and can reserve none',
  ),
});

export type ApiSettings = z.output<typeof apiSchema>;

export const ingestSchema = z.strictObject({
  memoryMiB: z.int().min(128).max(10_240).default(512).describe('Memory of the ingest function'),
  reservedConcurrency: reservedConcurrency.describe(
    'The same of the ingest function, which so always has them, whatever callers do',
  ),
});

export const pushSchema = z.strictObject({
  onenet: z
    .strictObject({
      tokenSecret: secretName.describe(
        "Secret with the token of OneNET's HTTP push; opens `/push/onenet`",
      ),
      aesKeySecret: secretName.optional().describe('Secret with the key of its encrypted pushes'),
      productId: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
        .optional()
        .describe('Product of pushes of the older platform, which name none; `older` by default'),
    })
    .optional()
    .describe("What China Mobile's OneNET may push by HTTP"),
});
