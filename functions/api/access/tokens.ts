// API tokens: their form, the items that keep them, and the store that makes, lists and revokes them.
import { randomBytes } from 'node:crypto';
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { secretDigest } from '../../contract/secret.ts';
import { secondText } from '../../contract/time.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import type { Item } from '../../table/item.ts';
import { type Scope, scopeText } from './scopes.ts';

/** What every token starts with, so that people and secret scanners know one when they see it. */
export const tokenPrefix = 'causeway_';

/** Partition of all tokens, a handful; the sort key is a token's id. */
const tokensPartition = 'tokens';

const idBytes = 8;
const secretBytes = 32;

/** A token's text taken apart. The id finds it and is no secret; the secret is base64url, 256 random bits. */
export interface TokenParts {
  readonly id: string;
  readonly secret: string;
}

/** Takes `causeway_<id>_<secret>` apart; undefined for anything else. */
export function parseToken(text: string): TokenParts | undefined {
  const [, id, secret] = /^causeway_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export function isTokenId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}

/** What is known of a token: all but its secret. */
export interface TokenEntry {
  readonly id: string;
  readonly name: string;
  /** As {@link scopeText} gives them. */
  readonly scopes: readonly string[];
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339, in whole seconds; absent where it does not expire. */
  readonly expiresAt?: string;
  /** RFC 3339, up to an hour behind; absent where it was never used. */
  readonly lastUsedAt?: string;
}

/** An entry with the digest of its secret. */
export interface StoredToken extends TokenEntry {
  readonly secretDigest: Uint8Array;
}

export interface NewToken {
  /** For people, who see it in the list. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** When it stops, in whole seconds; never by default. */
  readonly expiresAt?: Date;
}

export interface TokenStore {
  /** Makes a token. Its text is in the answer and nowhere else. */
  create(token: NewToken): Promise<{ readonly entry: TokenEntry; readonly token: string }>;
  /** All tokens, also expired ones that DynamoDB has not deleted yet, in the order of their ids. */
  list(): Promise<TokenEntry[]>;
  /** Deletes a token, which stops within a second; false where there was none. */
  revoke(id: string): Promise<boolean>;
  /** The token as it is now, with all writes that have been answered. */
  read(id: string): Promise<StoredToken | undefined>;
  /** Writes down when a token was used; one that is gone stays so. */
  noteUse(id: string, at: Date): Promise<void>;
}

export interface TokenStoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

export function createTokenStore({ client, tableName }: TokenStoreOptions): TokenStore {
  const target = { TableName: tableName };
  return {
    async create({ name, scopes, expiresAt }) {
      const id = randomBytes(idBytes).toString('hex');
      const secret = randomBytes(secretBytes).toString('base64url');
      const entry: TokenEntry = {
        id,
        name,
        scopes: scopes.map(scopeText),
        createdAt: secondText(Date.now()),
        ...(expiresAt !== undefined && { expiresAt: secondText(expiresAt.getTime()) }),
      };
      await client.send(
        new PutItemCommand({
          ...target,
          Item: tokenItem({ ...entry, secretDigest: secretDigest(secret) }),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
      return { entry, token: `${tokenPrefix}${id}_${secret}` };
    },

    async list() {
      const entries: TokenEntry[] = [];
      const query = {
        ...target,
        KeyConditionExpression: 'pk = :tokens',
        ExpressionAttributeValues: { ':tokens': { S: tokensPartition } },
        ConsistentRead: true,
      };
      for await (const { Items = [] } of paginateQuery({ client }, query)) {
        entries.push(...Items.map(tokenOf).map(({ secretDigest: _, ...entry }) => entry));
      }
      return entries;
    },

    async revoke(id) {
      return conditionHeld(
        client.send(
          new DeleteItemCommand({
            ...target,
            Key: tokenKey(id),
            ConditionExpression: 'attribute_exists(pk)',
          }),
        ),
      );
    },

    async read(id) {
      const { Item: item } = await client.send(
        new GetItemCommand({ ...target, Key: tokenKey(id), ConsistentRead: true }),
      );
      return item === undefined ? undefined : tokenOf(item);
    },

    async noteUse(id, at) {
      await client.send(
        new UpdateItemCommand({
          ...target,
          Key: tokenKey(id),
          UpdateExpression: 'SET lastUsedAt = :at',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':at': { S: secondText(at.getTime()) } },
        }),
      );
    },
  };
}

function tokenKey(id: string) {
  return { pk: { S: tokensPartition }, sk: { S: id } };
}

/**
 * `expiresAt` is the table's time-to-live attribute: DynamoDB clears away what has expired, some days later.
 * Until then a reader of the item has to look at the time.
 */
function tokenItem(token: StoredToken): Item {
  const { id, name, scopes, createdAt, expiresAt, secretDigest: digest } = token;
  return {
    ...tokenKey(id),
    name: { S: name },
    scopes: { L: scopes.map((scope) => ({ S: scope })) },
    createdAt: { S: createdAt },
    secretSha256: { B: digest },
    ...(expiresAt !== undefined && { expiresAt: { N: String(Date.parse(expiresAt) / 1000) } }),
  };
}

/** Without a digest in the item, as somebody else might have written it, no secret is the right one. */
function tokenOf(item: Item): StoredToken {
  const expiresAt = item['expiresAt']?.N;
  const lastUsedAt = item['lastUsedAt']?.S;
  return {
    id: item['sk']?.S ?? '',
    name: item['name']?.S ?? '',
    scopes: (item['scopes']?.L ?? []).flatMap(({ S: scope }) => scope ?? []),
    createdAt: item['createdAt']?.S ?? '',
    secretDigest: item['secretSha256']?.B ?? new Uint8Array(),
    ...(expiresAt !== undefined && { expiresAt: secondText(Number(expiresAt) * 1000) }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
  };
}
