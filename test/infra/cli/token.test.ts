// What `npm run token` starts, as a child process, against a table.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTokenAuthenticate } from '../../../functions/api/access/authentication.ts';
import { createTokenStore } from '../../../functions/api/access/tokens.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { programFile } from '../../support/started-once.ts';
import { startTable, type TestTable } from '../../support/table.ts';

let table: TestTable;
let aws: Record<string, string>;
const folder = temporaryFolder('token');

beforeAll(async () => {
  table = await startTable();
  aws = {
    MESSAGES_TABLE: table.tableName,
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    AWS_REGION: 'local',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
});
afterAll(() => table.close());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly problems: string[];
}

async function token(environment: Record<string, string>, ...options: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [await programFile('token'), ...options], {
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: folder,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, problems: errors.split('\n').slice(0, -1) };
}

const authenticate = (text: string) =>
  createTokenAuthenticate({ store: createTokenStore(table) })(text);

test('create prints a token that works, list shows it without, revoke ends it', async () => {
  const scopes = ['--scope', 'read:devices/#', '--scope', 'publish:devices/+/cmd'];
  const made = await token(aws, 'create', '--name', 'dash board', ...scopes, '--expires', '90d');
  expect(made.problems).toEqual([]);
  const [text = '', id = ''] = /causeway_([0-9a-f]{16})_\S{43}/.exec(made.out) ?? [];
  const principal = await authenticate(text);
  expect(principal?.can('read', 'devices/a/b')).toBe(true);
  expect(principal?.can('publish', 'devices/a/cmd')).toBe(true);
  expect(principal?.can('publish', 'devices/a')).toBe(false);

  const listed = await token(aws, 'list');
  expect(listed.out).toMatch(
    new RegExp(
      `^${id}  dash board  20\\S+Z  20\\S+Z  20\\S+Z  read:devices/# publish:devices/\\+/cmd$`,
      'm',
    ),
  );
  expect(listed.out).not.toContain(text.slice(-43));

  const revoked = await token(aws, 'revoke', id);
  expect([revoked.code, revoked.out]).toEqual([0, expect.stringContaining(id)]);
  expect(await authenticate(text)).toBeUndefined();
  const again = await token(aws, 'revoke', id);
  expect([again.code, again.problems]).toEqual([1, [`there is no token ${id}`]]);
});

test('and as JSON, with the end that was asked for', async () => {
  const options = ['--name', 'x', '--scope', 'admin', '--expires', '2099-01-01T01:00:00+01:00'];
  const { token: text, ...entry } = JSON.parse(
    (await token(aws, 'create', ...options, '--json')).out,
  );
  expect(entry).toMatchObject({
    name: 'x',
    scopes: ['admin'],
    expiresAt: '2099-01-01T00:00:00Z',
  });
  expect((await authenticate(text))?.id).toBe(`token:${entry.id}`);
  const listed = JSON.parse((await token(aws, 'list', '--json')).out);
  expect(listed.tokens).toContainEqual({ ...entry, lastUsedAt: expect.any(String) });
});

describe('without a table', () => {
  const file = join(folder, 'stack.json');

  test('says what is missing', async () => {
    const { code, problems } = await token({}, 'list');
    expect([code, problems]).toEqual([
      1,
      [expect.stringMatching(/stack\.json.*npx causeway start/)],
    ]);
  });

  test('takes that of the local stack', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      file,
      JSON.stringify({ database: { url: table.endpoint }, table: table.tableName }),
    );
    expect(await token({}, 'list')).toMatchObject({ code: 0, problems: [] });
  });

  test('says where nobody answers', async () => {
    writeFileSync(
      file,
      JSON.stringify({ database: { socket: '/nobody/listens.sock' }, table: 'messages' }),
    );
    const { code, problems } = await token({}, 'list');
    expect([code, problems]).toEqual([1, [expect.stringMatching(/nobody.listens\.sock.*running/)]]);
  });
});

test('all problems are told at once, by the names of the options', async () => {
  const { code, out, problems } = await token(
    aws,
    ...['create', 'surplus', '--scope', 'read:a', '--scope', 'write:a', '--scope', 'read:a#'],
    ...['--expires', '2001-01-01T00:00:00Z', '--colour', 'red', '--json=yes'],
  );
  expect([code, out]).toEqual([1, '']);
  expect(problems).toEqual([
    expect.stringMatching(/^--json takes no value/),
    expect.stringMatching(/^--name is needed/),
    expect.stringMatching(/^--scope \(number 2\) must be admin/),
    expect.stringMatching(/^--scope \(number 3\) .*stand alone/),
    expect.stringMatching(/^--expires must be days or hours/),
    expect.stringMatching(/^--colour is not a known option/),
    expect.stringMatching(/^too many arguments/),
  ]);
});

test('a wrong id is not repeated: it may be a whole token', async () => {
  const secret = `causeway_0123456789abcdef_${'A'.repeat(43)}`;
  const { code, out, problems } = await token(aws, 'revoke', secret);
  expect([code, out, problems]).toEqual([1, '', [expect.stringMatching(/^<id> must be 16/)]]);
});

test('--help tells how, and no command is a mistake', async () => {
  expect(await token(aws, '--help')).toMatchObject({
    code: 0,
    out: expect.stringContaining('npx causeway token create'),
  });
  expect(await token(aws)).toMatchObject({
    code: 1,
    problems: [expect.stringContaining('--help')],
  });
});
