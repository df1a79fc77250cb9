// Which SDK reads which format, and what each library's verify cannot do: the real libraries of four languages on the
// bridge's own requests. What they do is written down in expected.json, and a change of it fails.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/brokers.ts';
import { secret, sentRequests } from './requests.ts';

/** A library is fetched and compiled where it has not been before. */
const timeoutMs = 10 * 60_000;
const programs = fileURLToPath(new URL('programs', import.meta.url));
const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8'));

type Run = (program: string, ...options: string[]) => string;

async function tryLanguage(language: string, use: (run: Run, folder: string) => string) {
  const folder = temporaryFolder(`sdks-${language}`);
  cpSync(programs, folder, { recursive: true });
  writeFileSync(join(folder, 'requests.json'), JSON.stringify(await sentRequests()));
  const env = { ...process.env, SECRET: secret };
  const printed = use((program, ...options) => {
    const { status, stdout, stderr } = spawnSync(program, options, {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program} ${options.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }, folder);
  expect(JSON.parse(printed.trim().split('\n').at(-1) ?? '')).toEqual(expected[language]);
}

const has = (program: string, ...options: string[]) => spawnSync(program, options).status === 0;
const missing = (is: boolean, what: string) => (is ? what : `${what} (not run: needs ${what})`);
const hasPython = has('python3', '-c', 'import venv, ensurepip');
const hasGo = has('go', 'version');
const hasMaven = has('mvn', '--version');

test('JavaScript', { timeout: timeoutMs }, () =>
  tryLanguage('JavaScript', (run) =>
    run(process.execPath, join(programs, 'reader.mjs'), 'requests.json'),
  ),
);

describe.skipIf(!hasPython)(missing(hasPython, 'python3'), () => {
  test('Python', { timeout: timeoutMs }, () =>
    tryLanguage('Python', (run) => {
      run('python3', '-m', 'venv', 'python');
      run('python/bin/pip', 'install', '--quiet', 'cloudevents==2.2.0', 'standardwebhooks==1.1.0');
      return run('python/bin/python', 'reader.py', 'requests.json');
    }),
  );
});

describe.skipIf(!hasGo)(missing(hasGo, 'go'), () => {
  test('Go', { timeout: timeoutMs }, () =>
    tryLanguage('Go', (run) => {
      const go = (...options: string[]) => run('go', '-C', 'go', ...options);
      go('mod', 'init', 'causeway.test/reader');
      go(
        'get',
        'github.com/cloudevents/sdk-go/v2@v2.16.2',
        'github.com/standard-webhooks/standard-webhooks/libraries@v0.0.1',
      );
      go('build', '-o', 'reader', '.');
      return run('go/reader', 'requests.json');
    }),
  );
});

describe.skipIf(!hasMaven)(missing(hasMaven, 'mvn'), () => {
  test('Java', { timeout: timeoutMs }, () =>
    tryLanguage('Java', (run, folder) => {
      const made = ['compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath'];
      run('mvn', '-q', '-B', '-f', 'java/pom.xml', ...made);
      const libraries = readFileSync(join(folder, 'java/classpath'), 'utf8').trim();
      return run('java', '-cp', `java/target/classes:${libraries}`, 'Reader', 'requests.json');
    }),
  );
});
