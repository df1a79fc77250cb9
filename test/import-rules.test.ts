// How the code is laid out: which folder may import which, and who may touch a package that has one home. A folder that is
// not in the list is an error, so that a new one is given its place.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Import, importsIn } from './support/imports.ts';

/** Our folders, the lowest first. A folder imports from itself and from lower ones: so there is no circle. */
const folders = [
  'functions/contract',
  'functions/table',
  'functions/segments',
  'functions/index-runs',
  'functions/reading',
  'functions/feed',
  'functions/expression',
  'functions/ingest/presence',
  'functions/ingest/storing',
  'functions/ingest/push',
  'functions/ingest',
  'functions/api/access',
  'functions/api/interface',
  'functions/api/document',
  'functions/api/bridge-client',
  'functions/api/messages',
  'functions/api/live',
  'functions/api/commands',
  'functions/api/dead-letters',
  'functions/api/presence',
  'functions/api/replays',
  'functions/api/tokens',
  'functions/api/routes',
  'functions/api/traces',
  'functions/api/states',
  'functions/api',
  'functions/console/client',
  'functions/console/state',
  'functions/console/components',
  'functions/console/pages/routes',
  'functions/console/pages/messages',
  'functions/console/pages/publish',
  'functions/console/pages/dead-letters',
  'functions/console/pages/clients',
  'functions/console/pages/tokens',
  'functions/console/pages/overview',
  'functions/console/pages',
  'functions/console/shell',
  'functions/console/docs',
  'functions/console',
  'bridge/base',
  'bridge/memory',
  'bridge/config/profiles',
  'bridge/config',
  'bridge/packets',
  'bridge/handler',
  'bridge/connection',
  'bridge/dead-letters',
  'bridge/metrics',
  'bridge/session',
  'bridge/session-ledger',
  'bridge/forwarding',
  'bridge/routes',
  'bridge/replays',
  'bridge/indexing',
  'bridge/commands',
  'bridge/alerts',
  'bridge/tracing',
  'bridge',
  'infra/level',
  'infra/database/values',
  'infra/database/expressions',
  'infra/database',
  'infra/broker/packets',
  'infra/broker/telemetry',
  'infra/broker/settings',
  'infra/broker/access',
  'infra/broker/quotas',
  'infra/broker/store',
  'infra/broker/routing',
  'infra/broker/session',
  'infra/broker/connection',
  'infra/broker/listening',
  'infra/broker',
  'infra/config',
  'infra/bundle',
  'infra/prometheus',
  'infra/aws',
  'infra/scale',
  'infra/package',
  'infra/local',
  'infra/cli',
];

/** Which areas an area knows besides itself; an area is a folder with all that is in it. */
const areas: Readonly<Record<string, readonly string[]>> = {
  'functions/contract': [],
  'functions/table': ['functions/contract'],
  'functions/segments': ['functions/contract', 'functions/table'],
  'functions/index-runs': ['functions/contract', 'functions/table', 'functions/segments'],
  'functions/reading': [
    'functions/contract',
    'functions/table',
    'functions/segments',
    'functions/index-runs',
  ],
  'functions/expression': ['functions/contract'],
  'functions/feed': ['functions/contract', 'functions/table', 'functions/segments'],
  'functions/ingest': [
    'functions/contract',
    'functions/table',
    'functions/segments',
    'functions/feed',
  ],
  'functions/api': [
    'functions/contract',
    'functions/table',
    'functions/segments',
    'functions/index-runs',
    'functions/reading',
    'functions/feed',
    'functions/expression',
  ],
  'functions/console': ['functions/contract', 'functions/api'],
  bridge: [
    'functions/contract',
    'functions/table',
    'functions/segments',
    'functions/index-runs',
    'functions/reading',
    'functions/expression',
  ],
  'infra/level': ['functions/contract'],
  'infra/database': ['functions/contract', 'functions/table', 'infra/level'],
  'infra/broker': ['functions/contract', 'bridge/base', 'infra/level'],
  'infra/config': ['functions/contract', 'functions/api/access', 'bridge/base', 'bridge/config'],
  'infra/bundle': [],
  'infra/aws': ['functions', 'bridge', 'infra/config', 'infra/bundle'],
  'infra/prometheus': ['bridge', 'infra/broker'],
  'infra/scale': ['functions/contract', 'bridge', 'infra/config', 'infra/aws'],
  'infra/package': ['infra/config', 'infra/aws'],
  'infra/local': ['functions', 'bridge', 'infra'],
  'infra/cli': ['functions', 'bridge', 'infra'],
};

/** Packages that only some files may load. Types are free: they are gone when the program runs. */
const packages: readonly { name: RegExp; within: string; only: readonly RegExp[]; why: string }[] =
  [
    {
      name: /^mqtt(\/|$)/,
      within: '',
      only: [
        /^bridge\/connection\/(connection|client-options)\.ts$/,
        /^bridge\/session\/inbound\.ts$/,
        /^infra\/local\/demo\.ts$/,
      ],
      why: 'MQTT.js is touched in few files, so that its private parts have one home',
    },
    {
      name: /^mqtt-packet$/,
      within: '',
      only: [/^bridge\/base\/mqtt-packet\.ts$/],
      why: 'it is set up in one file, for all',
    },
    {
      name: /^@(aws-sdk|smithy)\//,
      within: 'bridge/',
      only: [
        /^bridge\/tables\.ts$/,
        /^bridge\/base\/secrets\.ts$/,
        /^bridge\/connection\/aws-iot-url\.ts$/,
        /^bridge\/handler\/aws-signing\.ts$/,
        /^bridge\/commands\/(ledger|awaited)\.ts$/,
        /^bridge\/dead-letters\/dead-letter-slots\.ts$/,
        /^bridge\/[\w-]+\/[\w-]+-table\.ts$/,
      ],
      why: 'the AWS SDK takes 20 MB: it is touched in files that are loaded on demand only',
    },
    {
      name: /^@opentelemetry\//,
      within: '',
      only: [/^bridge\/tracing\//],
      why: 'who collects no traces loads nothing for them',
    },
    {
      name: /^hono/,
      within: 'functions/contract/',
      only: [],
      why: 'the contract knows no web framework',
    },
    {
      name: /^hono/,
      within: 'functions/table/',
      only: [],
      why: 'the table knows no web framework',
    },
    {
      name: /^(aws-cdk-lib|constructs)/,
      within: '',
      only: [/^infra\/aws\//],
      why: 'the CDK is for synthesis',
    },
  ];

const isIn = (folder: string, area: string) => folder === area || folder.startsWith(`${area}/`);

/** What is wrong with one import of the file at `path`; undefined where nothing is. */
function faultOf(path: string, { specifier, isType }: Import): string | undefined {
  const folder = dirname(path);
  if (!specifier.startsWith('.')) {
    const rule = packages.find(
      ({ name, within }) => name.test(specifier) && path.startsWith(within),
    );
    const mayLoad = rule === undefined || isType || rule.only.some((file) => file.test(path));
    return mayLoad ? undefined : `${path} imports ${specifier}: ${rule.why}`;
  }
  const target = dirname(normalize(`${folder}/${specifier}`));
  // causeway.config.ts, which is the user's, stands at the top.
  if (target === folder || target === '.') return undefined;
  const [from, to] = [folders.indexOf(folder), folders.indexOf(target)];
  if (from < 0) return `${folder} has no place in the list of folders`;
  if (to < 0 || to > from) return `${path} imports ${target}, which is not below ${folder}`;
  // A browser has no server: of the api the console knows types alone, which are gone when it runs.
  if (folder.startsWith('functions/console') && target.startsWith('functions/api') && !isType)
    return `${path} imports ${target} for more than its types`;
  const area = Object.keys(areas).find((name) => isIn(folder, name)) ?? folder;
  const known = [area, ...(areas[area] ?? [])];
  return known.some((name) => isIn(target, name))
    ? undefined
    : `${path} imports ${target}, which ${area} does not know`;
}

function faultsOf(path: string, source: string): string[] {
  return importsIn(source)
    .map((one) => faultOf(path, one))
    .filter((fault) => fault !== undefined);
}

const files = ['functions', 'bridge', 'infra'].flatMap((area) =>
  readdirSync(area, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|tsx|mjs|cjs)$/.test(path))
    .map((path) => join(area, path)),
);

test('every import points downward, to what its area knows', () => {
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap((path) => faultsOf(path, readFileSync(path, 'utf8')))).toEqual([]);
});

/** A way from a file back to itself, where there is one; types count, too. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const target of imports.get(path) ?? []) {
      const circle = visit(target, [...way, path]);
      if (circle !== undefined) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of imports.keys()) {
    const circle = visit(path, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

test('no file imports itself by way of others', () => {
  const imports = files.map((path) => {
    const targets = importsIn(readFileSync(path, 'utf8'))
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => normalize(join(dirname(path), specifier)));
    return [path, targets] as const;
  });
  expect(circleIn(new Map(imports))).toBeUndefined();
  expect(
    circleIn(new Map([...imports, ['bridge/base/bell.ts', ['bridge/main.ts']]])),
  ).toBeDefined();
});

test('every folder in the list is there', () => {
  expect(folders.filter((folder) => !files.some((path) => dirname(path) === folder))).toEqual([]);
});

describe('a rule that is broken is found', () => {
  test.each([
    ['functions/contract/message.ts', "import { x } from '../table/item.ts';"],
    ['functions/contract/message.ts', "import type { X } from '../table/item.ts';"],
    ['functions/contract/message.ts', "import 'hono';"],
    ['functions/table/item.ts', "import { x } from '../api/api.ts';"],
    ['functions/table/item.ts', "import 'hono';"],
    ['functions/ingest/ingest.ts', "import '../api/api.ts';"],
    ['functions/ingest/push/push.ts', "import '../../api/api.ts';"],
    ['functions/ingest/push/push.ts', "import type { X } from '../ingest.ts';"],
    ['functions/api/messages/reader.ts', "import '../../ingest/ingest.ts';"],
    ['functions/api/messages/reader.ts', "import '../../../bridge/config/config.ts';"],
    ['functions/api/messages/reader.ts', "import 'mqtt';"],
    ['functions/api/access/scopes.ts', "export { x } from '../interface/operation.ts';"],
    ['functions/console/app.tsx', "import { createApi } from '../api/api.ts';"],
    ['functions/console/app.tsx', "import type { X } from '../table/item.ts';"],
    ['functions/console/state/store.ts', "import '../components/icon.tsx';"],
    ['bridge/bridge.ts', "import '../infra/local/stack.ts';"],
    ['bridge/bridge.ts', "import '../functions/api/api.ts';"],
    ['bridge/session/session.ts', "const x = await import('../routes/route.ts');"],
    ['bridge/session/window.ts', "import 'mqtt';"],
    ['bridge/commands/refusal.ts', "import { generate } from 'mqtt-packet';"],
    ['bridge/replays/run.ts', "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';"],
    ['bridge/metrics/metrics.ts', "import '../http.ts';"],
    ['infra/broker/session/sessions.ts', "import '../../../bridge/config/config.ts';"],
    ['infra/broker/routing/router.ts', "import type { Session } from '../session/session.ts';"],
    ['infra/config/config.ts', "import '../aws/cost.ts';"],
    ['infra/local/stack.ts', "import { Stack } from 'aws-cdk-lib';"],
    ['bridge/new/file.ts', "import '../base/bell.ts';"],
  ])('%s: %s', (path, source) => {
    expect(faultsOf(path, source)).toHaveLength(1);
  });

  test.each([
    ['functions/api/api.ts', "import '../contract/message.ts';"],
    ['functions/console/app.tsx', "import type { X } from '../api/operations.ts';"],
    ['functions/console/app.tsx', "import { x } from '../contract/topic.ts';"],
    ['functions/table/item.ts', "import type { X } from '@aws-sdk/client-dynamodb';"],
    ['bridge/session/inbound.ts', "import { x } from 'mqtt';"],
    ['bridge/commands/ledger.ts', "import '@aws-sdk/client-dynamodb';"],
    ['bridge/replays/run.ts', "import type { X } from '@aws-sdk/client-dynamodb';"],
    ['infra/local/stack.ts', "import '../../bridge/bridge.ts';"],
  ])('%s may: %s', (path, source) => {
    expect(faultsOf(path, source)).toEqual([]);
  });
});
