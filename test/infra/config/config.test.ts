import { expect, test } from 'vitest';
import example from '../../../causeway.config.ts';
import {
  type CausewayConfigInput,
  parseCausewayConfig,
  parseDeployment,
} from '../../../infra/config/config.ts';

const minimal = {
  broker: { url: 'mqtts://broker.example.com' },
  routes: [{ name: 'store', filter: '#' }],
} satisfies CausewayConfigInput;
const [store] = minimal.routes;
const functionArn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';
const hook = { url: 'https://hooks.example.com', secretName: 'hooks' };

/** `field: rule` of each fault. */
function faultsOf(input: unknown): string[] {
  const parsed = parseCausewayConfig(input);
  return parsed.ok ? [] : parsed.faults.map(({ field, rule }) => `${field}: ${rule}`);
}

test('needs only a broker and a route', () => {
  const parsed = parseCausewayConfig(minimal);
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      broker: { sessionExpirySeconds: 604_800, allowPlainText: false },
      retentionDays: 30,
      bridge: { cpu: 256, memoryMiB: 512, tasks: 1, natGateway: false },
      deletionProtection: true,
    },
  });
});

test('the example in the repository is right', () => {
  expect(parseDeployment(example)).toMatchObject({ ok: true, value: { stackName: 'Causeway' } });
});

const refused: readonly (readonly [string, object, RegExp])[] = [
  [
    'a mistake in an expression',
    { routes: [{ ...store, handler: hook, where: 'payload.celsius >' }] },
    /^routes\.0\.where: must be a JSONata expression: .*, in column 17$/,
  ],
  [
    'a filter where messages are stored',
    { routes: [{ ...store, where: 'true' }] },
    /^routes\.0\.where: needs a handler/,
  ],
  [
    'a transformation where messages are stored',
    { routes: [{ ...store, transform: 'payload' }] },
    /^routes\.0\.transform: needs a handler/,
  ],
  [
    'a session that ends with its connection',
    { broker: { ...minimal.broker, sessionExpirySeconds: 0 } },
    /^broker\.sessionExpirySeconds: must be at least 60: with 0 the broker forgets/,
  ],
  [
    'plain-text MQTT to a public host',
    { broker: { url: 'mqtt://broker.example.com' } },
    /^broker\.url: is plain text to a public host: use mqtts:\/\//,
  ],
  [
    'a plain WebSocket to a public address',
    { broker: { url: 'ws://8.8.8.8/mqtt' } },
    /^broker\.url: is plain text to a public host: use wss:\/\//,
  ],
  ['a URL that is none', { broker: { url: 'garbage' } }, /^broker\.url: must be a URL that starts/],
  [
    'a server name without TLS',
    { broker: { url: 'ws://10.0.0.7', serverName: 'broker.internal' } },
    /^broker\.serverName: needs a URL with mqtts or wss/,
  ],
  [
    'ALPN with WebSocket',
    { broker: { url: 'wss://broker.example.com', alpnProtocols: ['x'] } },
    /^broker\.alpnProtocols: needs a URL with mqtts$/,
  ],
  [
    'certificates without TLS',
    { broker: { url: 'mqtt://10.0.0.7', caSecret: 'ca' } },
    /^broker\.caSecret: needs a URL with mqtts or wss/,
  ],
  [
    'credentials in the URL',
    { broker: { url: 'mqtts://user:secret@broker.example.com' } },
    /^broker\.url: must hold no user name and password/,
  ],
  [
    'more tasks than can do anything',
    { bridge: { tasks: 17 } },
    /^bridge\.tasks: must be at most 16/,
  ],
  [
    'scaling to fewer tasks than there are',
    { bridge: { tasks: 4, scaling: { maxTasks: 4 } } },
    /^bridge\.scaling\.maxTasks: must be above bridge\.tasks, which is 4/,
  ],
  [
    'more client ids than the broker allows',
    { broker: { ...minimal.broker, maxClients: 3 }, routes: [{ ...store, connections: 3 }] },
    /^routes: need 4 client ids, .* broker\.maxClients is 3$/,
  ],
  [
    'a webhook by plain HTTP',
    { routes: [{ ...store, handler: { ...hook, url: 'http://hooks.example.com' } }] },
    /^routes\.0\.handler\.url: must be a URL that starts with https:\/\/$/,
  ],
  [
    'a webhook on this machine',
    { routes: [{ ...store, handler: { ...hook, url: 'https://127.0.0.1:9000' } }] },
    /^routes\.0\.handler\.url: is a loopback address: set allowPrivate if the handler is there$/,
  ],
  [
    'a webhook that anybody could call',
    { routes: [{ ...store, handler: { url: hook.url } }] },
    /^routes\.0\.handler\.secretName: must be given, or bearerSecret, basicSecret or auth/,
  ],
  [
    'a webhook whose CA is all that is secret',
    { routes: [{ ...store, handler: { url: hook.url, caSecret: 'ca' } }] },
    /^routes\.0\.handler\.secretName: must be given/,
  ],
  [
    'a client certificate without TLS',
    {
      routes: [
        {
          ...store,
          handler: {
            url: 'http://10.0.0.1',
            allowPrivate: true,
            clientCertificateSecret: 'client',
          },
        },
      ],
    },
    /^routes\.0\.handler\.clientCertificateSecret: needs a url that starts with https:\/\/$/,
  ],
  [
    'a webhook with two credentials',
    { routes: [{ ...store, handler: { url: hook.url, bearerSecret: 'a', basicSecret: 'b' } }] },
    /^routes\.0\.handler\.basicSecret: must not stand beside bearerSecret$/,
  ],
  [
    'a handler that is nowhere',
    { routes: [{ ...store, handler: {} }] },
    /^routes\.0\.handler\.url: must be given, or functionArn$/,
  ],
  [
    'an event that is no JSON',
    { routes: [{ ...store, handler: { functionArn, format: 'raw' } }] },
    /^routes\.0\.handler\.format: must be cloudevents-batch or cloudevents/,
  ],
  [
    'headers that a function never sees',
    { routes: [{ ...store, handler: { functionArn, headers: { 'x-team': 'blue' } } }] },
    /^routes\.0\.handler\.headers: does not reach a function that is invoked$/,
  ],
  [
    'a signature of AWS beside a secret',
    { routes: [{ ...store, handler: { ...hook, auth: 'aws-iam', functionArn } }] },
    /^routes\.0\.handler\.secretName: must not stand beside auth$/,
  ],
  [
    'a signature of AWS for whatever function',
    { routes: [{ ...store, handler: { url: hook.url, auth: 'aws-iam' } }] },
    /^routes\.0\.handler\.functionArn: must be given beside auth/,
  ],
  [
    'a function and no signature',
    { routes: [{ ...store, handler: { ...hook, functionArn } }] },
    /^routes\.0\.handler\.functionArn: needs auth: 'aws-iam', or no url/,
  ],
  [
    'all functions',
    {
      routes: [
        { ...store, handler: { url: hook.url, auth: 'aws-iam', functionArn: `${functionArn}*` } },
      ],
    },
    /^routes\.0\.handler\.functionArn: must be the ARN of a function/,
  ],
  [
    'a batch to a webhook that gets one message a request',
    { routes: [{ ...store, maxBatch: 10, handler: { ...hook, format: 'raw' } }] },
    /^routes\.0\.maxBatch: must be 1: a request of format raw carries one message$/,
  ],
  [
    'a level of a topic in the URL of a batch',
    { routes: [{ ...store, handler: { ...hook, url: 'https://hooks.example.com/{1}' } }] },
    /^routes\.0\.handler\.url: needs a format of one message a request/,
  ],
  [
    'a level of a topic in the host of a webhook',
    { routes: [{ ...store, handler: { ...hook, url: 'https://{1}.com/', format: 'raw' } }] },
    /^routes\.0\.handler\.url: may have \{topic\}, \{1\}, \{2\} … in its path and query only$/,
  ],
  [
    'a retention of nothing',
    { retentionDays: 0 },
    /^retentionDays: must be at least 1: with 0, messages would be deleted/,
  ],
  [
    'a retention of nothing for a route',
    { routes: [{ ...store, retentionDays: 0 }] },
    /^routes\.0\.retentionDays: must be at least 1/,
  ],
  [
    'a form of storage for what is not stored',
    { routes: [{ ...store, storage: 'packed', handler: hook }] },
    /^routes\.0\.storage: must not stand beside a handler/,
  ],
  [
    'a linger that becomes shorter where more comes',
    { routes: [{ ...store, lingerMs: 50, maxLingerMs: 20 }] },
    /^routes\.0\.maxLingerMs: must be at least as long as lingerMs$/,
  ],
  [
    "a window above the broker's limit",
    { broker: { ...minimal.broker, receiveMaximum: 100 }, routes: [{ ...store, window: 101 }] },
    /^routes\.0\.window: is above broker\.receiveMaximum \(100\)/,
  ],
  [
    'a route name twice',
    { routes: [store, { name: 'other', filter: 'a' }, store] },
    /^routes\.2\.name: is also the name of routes\.0$/,
  ],
  [
    'a batch that no function takes',
    { routes: [{ ...store, maxBatchBytes: 6 * 1024 * 1024 }] },
    /^routes\.0\.maxBatchBytes: must be at most 6275072/,
  ],
  [
    'memory that Fargate does not have',
    { bridge: { cpu: 1024, memoryMiB: 512 } },
    /^bridge\.memoryMiB: must be one of 2048, .* with bridge\.cpu 1024/,
  ],
  [
    'routes that memory has no floors for',
    { routes: Array.from({ length: 16 }, (_, index) => ({ ...store, name: `r-${index}` })) },
    /^bridge\.memoryMiB: must be at least 534 for these routes/,
  ],
  [
    'connections that memory cannot read',
    { routes: [{ ...store, connections: 48 }] },
    /^bridge\.memoryMiB: must be at least 550 for these routes/,
  ],
  [
    'an issuer over http',
    {
      api: { oidc: { issuer: 'http://id.example.com', audience: 'causeway' } },
      bridge: { natGateway: true },
    },
    /^api\.oidc\.issuer: must be an https URL/,
  ],
  [
    'a scope with a space',
    {
      api: { oidc: { issuer: 'https://id.example.com', audience: 'a', scopes: ['a b'] } },
      bridge: { natGateway: true },
    },
    /^api\.oidc\.scopes\.0: must be a scope/,
  ],
  [
    'an issuer that the api function cannot reach',
    { api: { oidc: { issuer: 'https://id.example.com', audience: 'causeway' } } },
    /^api\.oidc: needs bridge\.natGateway, or a bridge\.vpcId/,
  ],
  [
    'a limit of a table that the stack does not make',
    { table: { existingName: 'left-by-another', warmReadUnitsPerSecond: 12_000 } },
    /^table\.warmReadUnitsPerSecond: is a setting of a table that the stack makes/,
  ],
  ['a field that nobody reads', { retentionDay: 3 }, /^retentionDay: is not a known field$/],
];

test.each(refused)('refuses %s', (_, change, message) => {
  expect(faultsOf({ ...minimal, ...change })).toEqual([expect.stringMatching(message)]);
});

test.each([
  { ...hook, url: 'http://handler.internal:8080/{topic}', format: 'raw', allowPrivate: true },
  { url: hook.url, auth: 'aws-iam', functionArn },
  { functionArn },
  { functionArn, format: 'cloudevents' },
  { url: hook.url, bearerSecret: 'token', method: 'PUT', headers: { 'X-Team': 'blue' } },
  { ...hook, basicSecret: 'login', format: 'cloudevents' },
] as const)('a webhook can be %j', (handler) => {
  expect(faultsOf({ ...minimal, routes: [{ name: 'store', filter: '#', handler }] })).toEqual([]);
});

test('lists every problem at once, also where one value is of the wrong type', () => {
  const faults = faultsOf({
    broker: { url: 'mqtt://broker.example.com', sessionExpirySeconds: 0 },
    routes: [store, store, { ...store, handler: { ...hook, url: 'http://hooks.example.com' } }],
    retentionDays: '30',
    bridge: { tasks: 17 },
  });
  expect(faults.map((fault) => fault.slice(0, fault.indexOf(':')))).toEqual([
    'broker.sessionExpirySeconds',
    'broker.url',
    'routes.2.handler.url',
    'retentionDays',
    'bridge.tasks',
    'routes.1.name',
  ]);
});

test.each([
  'mqtt://10.0.3.7',
  'mqtt://172.31.255.255:1884',
  'mqtt://192.168.1.2',
  'mqtt://127.0.0.1',
  'mqtt://localhost',
  'mqtt://broker.internal',
  'ws://raspberry.local/mqtt',
  'mqtt://[::1]',
  'mqtt://[fd00::1]',
])('plain text is allowed where only a private network leads: %s', (url) => {
  expect(faultsOf({ ...minimal, broker: { url } })).toEqual([]);
});

test.each([
  'mqtt://172.15.255.255',
  'mqtt://172.32.0.1',
  'mqtt://11.0.0.1',
  'mqtt://[2001:db8::1]',
  'mqtt://internal.example.com',
  'mqtt://10.0.0.1.example.com',
])('%s is public', (url) => {
  expect(faultsOf({ ...minimal, broker: { url } })).toHaveLength(1);
  expect(faultsOf({ ...minimal, broker: { url, allowPlainText: true } })).toEqual([]);
});

test("a route's window is what the broker allows, by default", () => {
  const parsed = parseCausewayConfig({
    broker: { ...minimal.broker, receiveMaximum: 100 },
    routes: [store, { name: 'narrow', filter: 'a', window: 10 }],
  });
  if (!parsed.ok) throw new Error('the config is right');
  expect(parsed.value.routes.map(({ window }) => window)).toEqual([100, 10]);
});
