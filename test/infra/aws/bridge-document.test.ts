import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config.ts';
import { bridgeDocument, secretNames, targetPorts } from '../../../infra/aws/bridge-document.ts';
import {
  drainTimeoutMsOf,
  ingestTimeoutSecondsOf,
  leaseSecondsOf,
  stopTimeoutSeconds,
} from '../../../infra/aws/timeouts.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config.ts';

function checked(input: CausewayConfigInput) {
  const parsed = parseCausewayConfig(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

const handler = { url: 'https://hooks.example.com/mqtt', secretName: 'causeway/hooks' };
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
    { name: 'hook', filter: 'b/#', handler, timeoutMs: 60_000 },
    { name: 'inside', filter: 'c/#', handler: inside },
    { name: 'function', filter: 'd/#', handler: { ...signed, functionArn } },
  ],
});
const document = bridgeDocument(config, {
  tableName: 'messages',
  ingestUrl: 'https://abc.lambda-url.eu-central-1.on.aws/',
});

test('is a config that the bridge takes as it is', () => {
  const parsed = parseConfig(document);
  expect(parsed.ok ? [] : parsed.faults).toEqual([]);
  expect(parsed).toMatchObject({ value: document });
});

test('sends messages to the ingest function with their retention, signed, or to a webhook', () => {
  expect(document.routes).toMatchObject([
    { name: 'store', url: 'https://abc.lambda-url.eu-central-1.on.aws/', auth: 'aws-iam' },
    { url: 'https://abc.lambda-url.eu-central-1.on.aws/?retentionDays=7', auth: 'aws-iam' },
    handler,
    inside,
    signed,
  ]);
  expect(document.routes[4]).not.toHaveProperty('functionArn');
  expect(document.routes[2]).not.toHaveProperty('auth');
});

test('says what name the certificate of the broker has', () => {
  expect(document.broker).toMatchObject({ serverName: 'broker.internal' });
});

test('has secrets by name', () => {
  expect(document.broker).toMatchObject({ credentialsSecret: 'causeway/broker' });
  expect(secretNames(config)).toEqual([
    'causeway/broker',
    'causeway/ca',
    'causeway/certificate',
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
