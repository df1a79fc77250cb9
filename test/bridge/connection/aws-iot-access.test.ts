// What AWS IoT Core is shown for one connection: ALPN at port 443, and a signed URL.
import { describe, expect, test } from 'vitest';
import { awsIotRegion } from '../../../bridge/config/aws-iot-auth.ts';
import { parseConfig } from '../../../bridge/config/config.ts';
import { type Access, accessTo } from '../../../bridge/connection/access.ts';

async function access(broker: object): Promise<Access> {
  const config = parseConfig({
    broker: { profile: 'aws-iot', ...broker },
    routes: [{ name: 'store', filter: '#', url: 'https://handler.example.com' }],
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  return accessTo(config.value.broker, 'causeway-store-0');
}

const host = 'a1b2c3-ats.iot.eu-central-1.amazonaws.com';

describe('ALPN', () => {
  test('is named at port 443, and at no other', async () => {
    expect(await access({ url: `mqtts://${host}:443` })).toEqual({
      ALPNProtocols: ['x-amzn-mqtt-ca'],
    });
    expect(await access({ url: `mqtts://${host}:8883` })).toEqual({});
    expect(await access({ url: `mqtts://${host}` })).toEqual({});
    expect(await access({ url: `wss://${host}:443/mqtt` })).toEqual({});
  });

  test('of the config goes before, and other brokers have none', async () => {
    const own = { url: `mqtts://${host}:443`, alpnProtocols: ['mqtt'] };
    expect((await access(own)).ALPNProtocols).toEqual(['mqtt']);
    expect(await access({ url: 'mqtts://broker.example.com:443', profile: 'emqx' })).toEqual({});
  });
});

test.each([
  [host, 'eu-central-1'],
  ['a1.iot.us-east-1.amazonaws.com', 'us-east-1'],
  ['a1.ats.iot.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['iot.example.com', undefined],
  [`${host}.example.com`, undefined],
])('the region of %s is %s', (hostname, region) => {
  expect(awsIotRegion(hostname)).toBe(region);
});
