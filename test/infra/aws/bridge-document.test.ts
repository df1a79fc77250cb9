import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { awsBridgeDocument, sizeFault, targetPorts } from '../../../infra/aws/bridge-document.ts';
import {
  drainTimeoutMsOf,
  ingestTimeoutSecondsOf,
  leaseSecondsOf,
  stopTimeoutSeconds,
} from '../../../infra/aws/timeouts.ts';
import { bridgeSecretNames } from '../../../infra/config/bridge-document.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config/config.ts';

function checked(input: CausewayConfigInput) {
  const parsed = parseCausewayConfig(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

const handler = {
  url: 'https://hooks.example.com/mqtt',
  secretName: 'causeway/hooks',
  eventVersion: 1 as const,
  headers: { 'x-api-key': { secret: 'causeway/key' }, 'x-team': 'blue' },
  caSecret: 'causeway/handler-ca',
  clientCertificateSecret: 'causeway/client',
};
const inside = {
  url: 'http://handler.internal/{1}',
  allowPrivate: true,
  format: 'raw',
  method: 'PUT',
  headers: { 'x-team': 'blue' },
  bearerSecret: 'causeway/token',
} as const;
const functionArn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';
const signed = { url: 'https://def.lambda-url.eu-west-1.on.aws/', auth: 'aws-iam' } as const;
const config = checked({
  broker: {
    url: 'wss://broker.example.com/mqtt',
    credentialsSecret: 'causeway/broker',
    caSecret: 'causeway/ca',
    clientCertificateSecret: 'causeway/certificate',
    serverName: 'broker.internal',
  },
  routes: [
    { name: 'store', filter: '#', timeoutMs: 20_000 },
    { name: 'short', filter: 'a/#', retentionDays: 7 },
    {
      name: 'hook',
      filter: 'b/#',
      handler,
      timeoutMs: 60_000,
      where: 'payload.celsius > 30',
      transform: '{"text": topic}',
    },
    { name: 'inside', filter: 'c/#', handler: inside },
    { name: 'function', filter: 'd/#', handler: { ...signed, functionArn } },
  ],
});
const document = awsBridgeDocument(config, {
  tableName: 'messages',
  ingestUrl: 'https://abc.lambda-url.eu-central-1.on.aws/',
});

test('is a config that the bridge takes as it is', () => {
  const parsed = parseConfig(document);
  expect(parsed.ok ? [] : parsed.faults).toEqual([]);
  expect(parsed).toMatchObject({ value: JSON.parse(JSON.stringify(document)) });
});

test('sends messages to the ingest function with their retention, signed, or to a webhook', () => {
  expect(document.routes).toMatchObject([
    { name: 'store', url: 'https://abc.lambda-url.eu-central-1.on.aws/', auth: 'aws-iam' },
    { url: 'https://abc.lambda-url.eu-central-1.on.aws/?retentionDays=7', auth: 'aws-iam' },
    { ...handler, where: 'payload.celsius > 30', transform: '{"text": topic}' },
    inside,
    signed,
  ]);
  expect(document.routes[0]).not.toHaveProperty('where');
  expect(document.routes[4]).not.toHaveProperty('functionArn');
  expect(document.routes[2]).not.toHaveProperty('auth');
});

test('says what name the certificate of the broker has', () => {
  expect(document.broker).toMatchObject({ serverName: 'broker.internal' });
});

test('has secrets by name', () => {
  expect(document.broker).toMatchObject({ credentialsSecret: 'causeway/broker' });
  expect(bridgeSecretNames(config)).toEqual([
    'causeway/broker',
    'causeway/ca',
    'causeway/certificate',
    'causeway/key',
    'causeway/handler-ca',
    'causeway/client',
    'causeway/hooks',
    'causeway/token',
  ]);
});

test('ports are those of broker and webhooks', () => {
  expect(targetPorts(config)).toEqual([443, 443, 80, 443]);
});

test('times fit into each other, for the longest wait that a route can have', () => {
  for (const timeoutMs of [100, 5000, 30_000, 60_000, 900_000]) {
    const { routes } = checked({
      broker: config.broker,
      routes: [{ name: 'store', filter: '#', timeoutMs }],
    });
    const ingestMs = ingestTimeoutSecondsOf(routes) * 1000;
    if (timeoutMs > 2000) expect(ingestMs).toBeLessThan(timeoutMs);
    expect(drainTimeoutMsOf(routes)).toBeLessThan(stopTimeoutSeconds * 1000);
    if (timeoutMs < 600_000) expect(leaseSecondsOf(routes) * 1000).toBeGreaterThan(timeoutMs);
  }
});

/** A config of 100 routes, half of them with a webhook. */
function manyRoutes(where?: string): CausewayConfigInput {
  const own = (number: number) => ({
    url: `https://hooks.example.com:8443/plant-${number}/messages`,
    secretName: `causeway/hooks-${number}`,
  });
  return {
    broker: { url: 'mqtts://broker.example.com', profile: 'mosquitto', receiveMaximum: 500 },
    routes: Array.from({ length: 100 }, (_, number) => ({
      name: `route-${number}`,
      filter: `plant-${number}/line/+/#`,
      maxBatchBytes: 65_536,
      ...(number % 2 === 1 && { handler: own(number), ...(where !== undefined && { where }) }),
    })),
    bridge: { cpu: 1024, memoryMiB: 4096 },
  };
}

const wiring = { tableName: 'messages', ingestUrl: 'https://abc.lambda-url.eu-central-1.on.aws/' };

test('100 routes leave room in a task definition, and the bridge makes of them what the config says', () => {
  const config = checked(manyRoutes());
  const document = awsBridgeDocument(config, wiring);
  expect(JSON.stringify(document).length).toBeLessThan(24 * 1024);
  expect(sizeFault(document)).toBeUndefined();
  const parsed = parseConfig(JSON.parse(JSON.stringify(document)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  for (const [index, { handler: _handler, ...route }] of config.routes.entries())
    expect(parsed.value.routes[index]).toMatchObject(JSON.parse(JSON.stringify(route)));
});

test('what a task definition has no room for is refused before the deploy', () => {
  const long = `topic = '${'x'.repeat(900)}'`;
  const config = { ...manyRoutes(long), bridge: { cpu: 1024, memoryMiB: 8192 } } as const;
  expect(sizeFault(awsBridgeDocument(checked(config), wiring))).toMatch(/^routes: take \d+ KB, /);
});
