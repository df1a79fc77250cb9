// What `npx causeway token` can do: their options, what they do and what they print.
import * as z from 'zod';
import { tokenName, tokenScopes } from '../../functions/api/access/token-fields.ts';
import { isTokenId, type TokenEntry, type TokenStore } from '../../functions/api/access/tokens.ts';
import { type Parsed, parseWith } from '../../functions/contract/parse.ts';
import { CommandError } from './run-command.ts';

const text = z.string('needs a value');

const expires = text.transform((given, context): Date => {
  const [, count, unit] = /^([1-9]\d{0,4})([dh])$/.exec(given) ?? [];
  const hours = Number(count) * (unit === 'd' ? 24 : 1);
  if (count !== undefined) return new Date(Date.now() + hours * 3_600_000);
  const isTime = z.iso.datetime({ offset: true }).safeParse(given).success;
  if (isTime && Date.parse(given) > Date.now()) return new Date(given);
  context.addIssue('must be days or hours (90d, 12h), or a time to come (2027-01-01T00:00:00Z)');
  return z.NEVER;
});

const common = {
  table: text.min(1, 'must not be empty').optional(),
  json: z.literal(true, 'takes no value').optional(),
};

/** What a command does; resolves with what it prints. */
export type Action = (store: TokenStore) => Promise<string>;

/** A command: checks its options, and gives what is to be done with them. */
function command<S extends z.ZodType>(
  options: S,
  run: (store: TokenStore, options: z.output<S>) => Promise<string>,
): (input: unknown) => Parsed<Action> {
  return (input) => {
    const parsed = parseWith(options, input);
    return parsed.ok ? { ok: true, value: (store) => run(store, parsed.value) } : parsed;
  };
}

export const commands = {
  create: command(
    z.strictObject({
      ...common,
      name: tokenName,
      scope: tokenScopes,
      expires: expires.optional(),
    }),
    async (store, options) => {
      const { entry, token } = await store.create({
        name: options.name,
        scopes: options.scope,
        ...(options.expires !== undefined && { expiresAt: options.expires }),
      });
      if (options.json) return json({ ...entry, token });
      const end = entry.expiresAt === undefined ? '' : `, until ${entry.expiresAt}`;
      return `Made token ${entry.id} (${entry.name})${end}. It is shown only this once:\n\n  ${token}\n`;
    },
  ),
  list: command(z.strictObject(common), async (store, options) => {
    const tokens = await store.list();
    return options.json ? json({ tokens }) : table(tokens);
  }),
  revoke: command(
    z.strictObject({
      ...common,
      id: z
        .string('is needed')
        .refine(isTokenId, 'must be 16 hexadecimal digits, as the list shows them'),
    }),
    async (store, { id, ...options }) => {
      if (!(await store.revoke(id))) throw new CommandError(`there is no token ${id}`);
      return options.json ? json({ id }) : `Revoked ${id}: it stops within a second.\n`;
    },
  ),
};

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function table(tokens: readonly TokenEntry[]): string {
  if (tokens.length === 0) return 'There are no tokens.\n';
  const now = new Date().toISOString();
  const rows = [
    ['ID', 'NAME', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPES'],
    ...tokens.map(({ id, name, scopes, createdAt, expiresAt, lastUsedAt }) => {
      const end = expiresAt !== undefined && expiresAt <= now ? `${expiresAt} (over)` : expiresAt;
      return [id, name, createdAt, end ?? 'never', lastUsedAt ?? 'never', scopes.join(' ')];
    }),
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      `${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  ')}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
