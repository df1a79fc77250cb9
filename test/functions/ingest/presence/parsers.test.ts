// Presence messages as the brokers document them, and what else comes on the same filters.
import { describe, expect, test } from 'vitest';
import { ReceiptClock } from '../../../../bridge/session/receipt-clock.ts';
import { parseAwsIot } from '../../../../functions/ingest/presence/aws-iot.ts';
import { parseEmbedded } from '../../../../functions/ingest/presence/embedded.ts';
import { parseEmqx } from '../../../../functions/ingest/presence/emqx.ts';
import type { ParsedPresence } from '../../../../functions/ingest/presence/facts.ts';
import { parseLastWill } from '../../../../functions/ingest/presence/last-will.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const at = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z');

function eventOf(parsed: ParsedPresence) {
  if (parsed.kind !== 'event') throw new Error(JSON.stringify(parsed));
  return parsed.event;
}

describe('the embedded broker', () => {
  const facts = {
    clientId: 'lamp',
    user: null,
    address: '127.0.0.1',
    transport: 'tcp',
    epoch: 4294967297,
    time: '2026-01-01T00:00:00.123Z',
  };

  test('connected and disconnected', () => {
    const begin = { ...facts, clean: true, keepAliveSeconds: 30 };
    const place = { source: 'embedded', connection: 4294967297, at: '2026-01-01T00:00:00.123000Z' };
    expect(eventOf(parseEmbedded('$events/client/connected', json(begin)))).toEqual({
      clientId: 'lamp',
      status: 'online',
      place: { ...place, step: 1 },
    });
    const end = { ...facts, reason: 'error', detail: 'closed without DISCONNECT' };
    expect(eventOf(parseEmbedded('$events/client/disconnected', json(end)))).toEqual({
      clientId: 'lamp',
      status: 'offline',
      place: { ...place, step: 2 },
      reason: 'error',
    });
  });

  test.each([
    '$events/client/subscribed',
    '$events/client/unsubscribed',
    '$events/message/received',
  ])('%s is another event', (topic) =>
    expect(parseEmbedded(topic, json(facts))).toEqual({ kind: 'other' }),
  );

  test.each([
    [{ ...facts, epoch: -1 }, /epoch/],
    [{ ...facts, epoch: 2 ** 60 }, /epoch/],
    [{ ...facts, time: 'yesterday' }, /time/],
    [{ ...facts, clientId: undefined }, /clientId/],
  ])('%j is none that can be read', (payload, rule) => {
    expect(parseEmbedded('$events/client/connected', json(payload))).toMatchObject({
      kind: 'fault',
      reason: expect.stringMatching(rule),
    });
  });
});

describe('AWS IoT Core', () => {
  // AWS IoT Core Developer Guide, "Lifecycle events".
  const begin = {
    clientId: '186b5',
    timestamp: 1573002230757,
    eventType: 'connected',
    sessionIdentifier: 'a4666d2a7d844ae4ac5d7b38c9cb7967',
    principalIdentifier: '12345678901234567890123456789012',
    ipAddress: '192.0.2.0',
    versionNumber: 0,
  };
  const end = {
    clientId: '186b5',
    timestamp: 1573002340451,
    eventType: 'disconnected',
    sessionIdentifier: 'a4666d2a7d844ae4ac5d7b38c9cb7967',
    principalIdentifier: '12345678901234567890123456789012',
    clientInitiatedDisconnect: true,
    disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    versionNumber: 0,
  };

  test('the documented messages', () => {
    expect(eventOf(parseAwsIot('$aws/events/presence/connected/186b5', json(begin)))).toEqual({
      clientId: '186b5',
      status: 'online',
      place: { source: 'aws-iot', connection: 0, step: 1, at: at(1573002230757) },
    });
    expect(eventOf(parseAwsIot('$aws/events/presence/disconnected/186b5', json(end)))).toEqual({
      clientId: '186b5',
      status: 'offline',
      place: { source: 'aws-iot', connection: 0, step: 2, at: at(1573002340451) },
      reason: 'CLIENT_INITIATED_DISCONNECT',
    });
  });

  test('a client id with slashes', () => {
    const topic = '$aws/events/presence/connected/site/1/lamp';
    const parsed = parseAwsIot(topic, json({ ...begin, clientId: 'site/1/lamp' }));
    expect(eventOf(parsed).clientId).toBe('site/1/lamp');
  });

  test('a failed attempt is another event', () => {
    expect(parseAwsIot('$aws/events/presence/connect_failed/186b5', json(begin)).kind).toBe(
      'other',
    );
    expect(parseAwsIot('$aws/events/subscriptions/subscribed/186b5', json(begin)).kind).toBe(
      'other',
    );
  });

  test.each([
    [{ ...begin, clientId: 'other' }, /not the one of the topic/],
    [{ ...begin, versionNumber: '0' }, /versionNumber/],
    [{ ...begin, timestamp: 1e20 }, /timestamp/],
    [{ ...begin, timestamp: -1 }, /timestamp/],
  ])('%j is none that can be read', (payload, rule) => {
    expect(parseAwsIot('$aws/events/presence/connected/186b5', json(payload))).toMatchObject({
      kind: 'fault',
      reason: expect.stringMatching(rule),
    });
  });
});

describe('EMQX', () => {
  const topic = (what: string) =>
    `$SYS/brokers/emqx@127.0.0.1/clients/emqtt-8348fe27a87976ad4db3/${what}`;
  // EMQX documentation, "System Topic".
  const begin = {
    username: 'foo',
    ts: 1625572213873,
    sockport: 1883,
    proto_ver: 4,
    proto_name: 'MQTT',
    keepalive: 60,
    ipaddress: '127.0.0.1',
    expiry_interval: 0,
    connected_at: 1625572213870,
    connack: 0,
    clientid: 'emqtt-8348fe27a87976ad4db3',
    clean_start: true,
  };
  const end = {
    username: 'foo',
    ts: 1625572213999,
    sockport: 1883,
    reason: 'tcp_closed',
    proto_ver: 4,
    proto_name: 'MQTT',
    ipaddress: '127.0.0.1',
    disconnected_at: 1625572213990,
    clientid: 'emqtt-8348fe27a87976ad4db3',
  };

  test('the documented system topics', () => {
    expect(eventOf(parseEmqx(topic('connected'), json(begin)))).toEqual({
      clientId: 'emqtt-8348fe27a87976ad4db3',
      status: 'online',
      place: { source: 'emqx', connection: 1625572213870, step: 1, at: at(1625572213870) },
    });
    expect(eventOf(parseEmqx(topic('disconnected'), json(end)))).toEqual({
      clientId: 'emqtt-8348fe27a87976ad4db3',
      status: 'offline',
      place: { source: 'emqx', connection: 1625572213990, step: 0, at: at(1625572213990) },
      reason: 'tcp_closed',
    });
  });

  test('EMQX 5 says at the end which connection it was', () => {
    const payload = json({ ...end, connected_at: 1625572213870 });
    expect(eventOf(parseEmqx(topic('disconnected'), payload)).place).toEqual({
      source: 'emqx',
      connection: 1625572213870,
      step: 2,
      at: at(1625572213990),
    });
  });

  test.each(['$event/client_connected', 'presence/client.connected', '$events/client_connected'])(
    'fields of a rule (columns of "SQL Data Sources and Fields"), on %s',
    (ruleTopic) => {
      const payload = {
        event: 'client.connected',
        clientid: 'c_emqx',
        username: 'u_emqx',
        peername: '192.168.0.10:56431',
        connected_at: 1645003578536,
        timestamp: 1645003578536,
        node: 'emqx@127.0.0.1',
      };
      expect(eventOf(parseEmqx(ruleTopic, json(payload)))).toMatchObject({
        clientId: 'c_emqx',
        place: { connection: 1645003578536, step: 1 },
      });
    },
  );

  test('the end of a rule, with a time under another name', () => {
    const payload = { clientid: 'c_emqx', reason: 'normal', timestamp: 1645003578540 };
    expect(eventOf(parseEmqx('$event/client_disconnected', json(payload)))).toMatchObject({
      status: 'offline',
      reason: 'normal',
      place: { step: 0, at: at(1645003578540) },
    });
  });

  test.each(['takenover', 'takeover', 'discarded'])(
    'who is %s is told by the connection that took over, whatever the times (emqx #13484)',
    (reason) => {
      for (const connected_at of [undefined, 1625572213870, 1625572214870])
        expect(parseEmqx(topic('disconnected'), json({ ...end, reason, connected_at })).kind).toBe(
          'other',
        );
    },
  );

  test('subscriptions are other events', () => {
    expect(parseEmqx(topic('subscribed'), json(begin)).kind).toBe('other');
    expect(parseEmqx('$SYS/brokers/emqx@127.0.0.1/uptime', json(begin)).kind).toBe('other');
  });

  test.each([
    ['connected', { ...begin, connected_at: undefined }, /connected_at/],
    ['disconnected', { ...end, disconnected_at: undefined, ts: undefined }, /disconnected_at/],
    ['connected', { ...begin, clientid: 'another' }, /not the one of the topic/],
    ['connected', { ...begin, connected_at: '2021' }, /connected_at/],
  ])('%s with %j is none that can be read', (what, payload, rule) => {
    expect(parseEmqx(topic(what), json(payload))).toMatchObject({
      kind: 'fault',
      reason: expect.stringMatching(rule),
    });
  });
});

describe('a last will', () => {
  const form = { filter: 'devices/+/status', online: 'online', offline: 'offline' };
  const parse = (topic: string, text: string, time = '2026-01-01T00:00:00.123456Z') =>
    parseLastWill({ topic, payload: Buffer.from(text), time }, form);

  test('what devices say, by the time of receipt', () => {
    expect(eventOf(parse('devices/lamp/status', 'online'))).toEqual({
      clientId: 'lamp',
      status: 'online',
      place: {
        source: 'last-will',
        connection: Date.parse('2026-01-01T00:00:00.123Z') * 1000 + 456,
        step: 1,
        at: '2026-01-01T00:00:00.123456Z',
      },
    });
    expect(eventOf(parse('devices/lamp/status', 'offline')).status).toBe('offline');
  });

  test('times of one bridge are one after the other', () => {
    const clock = new ReceiptClock(() => 1_800_000_000_000);
    const [first = 0, second = 0] = [clock.stamp(), clock.stamp()].map(
      (time) => eventOf(parse('devices/lamp/status', 'online', time)).place.connection,
    );
    expect(second - first).toBe(1);
  });

  test('other topics, and what clears a retained message, say nothing', () => {
    expect(parse('devices/lamp/state', 'online').kind).toBe('other');
    expect(parse('devices/lamp/status/x', 'online').kind).toBe('other');
    expect(parse('devices/lamp/status', '').kind).toBe('other');
  });

  test('other payloads are none that can be read', () => {
    for (const text of ['1', 'Online', '{"status":"online"}', 'online\n'])
      expect(parse('devices/lamp/status', text).kind).toBe('fault');
    expect(parse('devices//status', 'online').kind).toBe('fault');
  });
});
