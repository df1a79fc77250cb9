// When certificates expire: which count, when a warning is due, and what the metrics say of a real connection.
import { X509Certificate } from 'node:crypto';
import { pino } from 'pino';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  CertificateExpiry,
  type CertificateInUse,
  dueWarnings,
  warningMs,
} from '../../../bridge/connection/certificate-expiry.ts';
import { daysLeft } from '../../../bridge/metrics/certificate-metrics.ts';
import { createMetrics } from '../../../bridge/metrics/metrics.ts';
import { until } from '../../support/wait.ts';
import { CertificateFiles } from './certificate-files.ts';
import { keepSession } from './kept-session.ts';
import { TlsListener } from './tls-listener.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 0, 15, 12);
const certificate = (fingerprint: string, daysAhead: number): CertificateInUse => ({
  role: 'broker',
  fingerprint,
  name: `CN=${fingerprint}`,
  notAfterMs: nowMs + daysAhead * dayMs,
});

describe('a warning is due', () => {
  const due = (daysAhead: number, warnedAt = new Map<string, number>()) =>
    dueWarnings([certificate('a', daysAhead)], warnedAt, nowMs).length === 1;

  test('from 30 days before, and after the end too', () => {
    expect(warningMs).toBe(30 * dayMs);
    expect([due(31), due(30), due(1), due(-3)]).toEqual([false, true, true, true]);
  });

  test('once on a day', () => {
    const warned = (atMs: number) => new Map([['a', atMs]]);
    expect(due(5, warned(nowMs - 60_000))).toBe(false);
    expect(due(5, warned(nowMs - dayMs))).toBe(true);
    expect(due(5, new Map([['another', nowMs]]))).toBe(true);
  });
});

test('days are whole days, negative after the end, and none without certificates', () => {
  expect(daysLeft({ broker: nowMs + 2.5 * dayMs, ca: nowMs + 9 * dayMs }, nowMs)).toBe(2);
  expect(daysLeft({ client: nowMs - 1 }, nowMs)).toBe(-1);
  expect(daysLeft({}, nowMs)).toBeUndefined();
});

test('a connection that lasts is looked at again each day, and reconnects do not warn again', () => {
  vi.useFakeTimers({ now: nowMs });
  onTestFinished(() => void vi.useRealTimers());
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const expiry = new CertificateExpiry(log);
  const unfollow = expiry.follow('causeway-store-0', [certificate('a', 32)]);
  expect(lines).toHaveLength(0);
  vi.advanceTimersByTime(2 * dayMs);
  expect(lines).toMatchObject([
    {
      level: 40,
      msg: 'a certificate expires soon: renew it',
      certificate: 'broker',
      name: 'CN=a',
      expiresAt: '2026-02-16T12:00:00Z',
      daysLeft: 30,
    },
  ]);
  unfollow();
  for (const clientId of ['causeway-store-0', 'causeway-store-1'])
    expiry.follow(clientId, [certificate('a', 32)])();
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(10 * dayMs);
  expect(lines).toHaveLength(1);
});

describe('of a real connection', () => {
  const files = new CertificateFiles();
  const inDays = (days: number) => ({
    notAfter: new Date(Math.floor(Date.now() / 1000) * 1000 + days * dayMs),
  });
  beforeAll(async () => {
    await Promise.all([files.make('authority', inDays(300)), files.make('unused', inDays(10))]);
    await Promise.all([
      files.make('broker', { issuer: 'authority', ...inDays(40) }),
      files.make('bridge', { issuer: 'authority', ...inDays(20) }),
    ]);
  });

  test.each(['mqtts', 'wss'] as const)(
    '%s: broker, client and the CA that counts, as a gauge, and one warning',
    async (transport) => {
      const listener = new TlsListener();
      const asking = { requestCert: true, rejectUnauthorized: true, ca: files.text('authority') };
      await listener.open(transport, { ...files.identity('broker'), ...asking });
      onTestFinished(() => listener.close());
      const lines: Record<string, unknown>[] = [];
      const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
      const certificates = new CertificateExpiry(log);
      const metrics = createMetrics();
      metrics.certificates(() => certificates.firstMs());
      expect((await metrics.scrape()).text).not.toMatch(/^causeway_certificate_expiry.*\d$/m);
      files.join('bundle', ['unused', 'authority']);
      const { links } = keepSession(
        {
          url: `${transport}://127.0.0.1:${listener.port}`,
          caFile: files.path('bundle'),
          certificateFile: files.path('bridge'),
          keyFile: files.path('bridge-key'),
        },
        { certificates },
      );
      await until(() => links.length > 0);
      const { text } = await metrics.scrape();
      for (const [role, name] of [
        ['broker', 'broker'],
        ['client', 'bridge'],
        ['ca', 'authority'],
      ] as const) {
        const { validTo } = new X509Certificate(files.text(name));
        expect(text).toContain(
          `causeway_certificate_expiry_timestamp_seconds{certificate="${role}"} ${Date.parse(validTo) / 1000}\n`,
        );
      }
      expect(daysLeft(metrics.snapshot().certificates, Date.now())).toBe(19);
      // `unused` leads to nobody.
      expect(lines).toMatchObject([
        { certificate: 'client', name: 'CN=bridge, issued by CN=authority', daysLeft: 19 },
      ]);
      await listener.open(transport, { ...files.identity('broker'), ...asking });
      await until(() => links.length > 1);
      expect(lines).toHaveLength(1);
    },
  );
});
