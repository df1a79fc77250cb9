// The user's config file: which one is read, and what is said of one that cannot be.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfigFile } from '../../../infra/local/config-file.ts';
import { temporaryFolder } from '../../support/brokers.ts';

const broker = "broker: { url: 'mqtts://mqtt.example.org' }";

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder('config');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('without a file, everything is stored', async () => {
  const read = await readConfigFile(folderWith({}));
  expect(read).toMatchObject({ ok: true, file: undefined });
  expect(read).toHaveProperty('config.routes.0', expect.objectContaining({ filter: '#' }));
  expect(read).toHaveProperty('config.routes.length', 1);
});

test.each(['causeway.config.ts', 'causeway.config.mjs', 'causeway.config.js'])(
  '%s is read',
  async (name) => {
    const document = `{ ${broker}, routes: [{ name: 'rooms', filter: 'rooms/#' }] }`;
    const folder = folderWith({
      'package.json': '{ "type": "module" }',
      [name]: `export default ${document};`,
    });
    const read = await readConfigFile(folder);
    expect(read).toMatchObject({ ok: true, file: name, config: { routes: [{ name: 'rooms' }] } });
  },
);

test('each problem has the name of the file and its path', async () => {
  const document = `{ ${broker}, routes: [{ name: 'rooms', filter: '#/rooms' }], retentionDays: 0 }`;
  const read = await readConfigFile(
    folderWith({ 'causeway.config.mjs': `export default ${document};` }),
  );
  expect(read).toEqual({
    ok: false,
    problems: [
      expect.stringMatching(/^causeway\.config\.mjs: routes\.0\.filter: /),
      expect.stringMatching(/^causeway\.config\.mjs: retentionDays: /),
    ],
  });
});

test.each(['export default {', "throw new Error('no')", "import 'there-is-no-such-package'"])(
  'a file that does not load is a problem of it: %s',
  async (text) => {
    const read = await readConfigFile(folderWith({ 'causeway.config.mjs': text }));
    expect(read).toEqual({
      ok: false,
      problems: [expect.stringMatching(/^causeway\.config\.mjs: /)],
    });
  },
);
