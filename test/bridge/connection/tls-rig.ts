// What the tests on TLS share: certificates, the bridge's files, ports, and a session that has to come back by itself.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { expect, onTestFinished, vi } from 'vitest';
import type { BridgeConfigInput } from '../../../bridge/config/config.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { CertificateFiles } from './certificate-files.ts';
import type { KeptSession } from './kept-session.ts';
import { TlsListener } from './tls-listener.ts';

export const files = new CertificateFiles();
export const yesterday = new Date(Math.floor(Date.now() / 1000) * 1000 - 86_400_000);
export const tomorrow = new Date(yesterday.getTime() + 2 * 86_400_000);
const longAgo = new Date(yesterday.getTime() - 100 * 86_400_000);
export const text = (date: Date) => date.toISOString().replace('.000', '');

/** For `beforeAll`: certificates, and the least jitter of the back-off, so that what is mended is used at once. */
export async function prepare(): Promise<() => void> {
  await makeCertificates();
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.05);
  return () => random.mockRestore();
}

/** All of them, once for a test file. */
async function makeCertificates(): Promise<void> {
  await Promise.all([
    files.make('authority'),
    files.make('namesake', { commonName: 'authority' }),
    files.make('stranger'),
  ]);
  const issuer = 'authority';
  const inPast = { notBefore: longAgo, notAfter: yesterday };
  await Promise.all([
    files.make('broker', { issuer }),
    files.make('elsewhere', { issuer, subjectAltName: 'DNS:broker.example,IP:10.0.0.1' }),
    files.make('old', { issuer, ...inPast }),
    files.make('future', { issuer, notBefore: tomorrow }),
    files.make('bridge', { issuer }),
    files.make('old-bridge', { issuer, ...inPast }),
    files.make('old-authority', inPast),
  ]);
  await files.make('of-old', { issuer: 'old-authority' });
}

export type BrokerFields = Omit<BridgeConfigInput['broker'], 'url'>;

/** The bridge's files, in a folder of their own, so that they can be renewed while it runs. */
export function bridgeFiles(names: { ca?: string; client?: string; key?: string }) {
  const folder = temporaryFolder('tls');
  const path = (name: string) => join(folder, `${name}.pem`);
  const put = (name: 'ca' | 'client' | 'key', content: string) =>
    writeFileSync(path(name), content);
  if (names.ca !== undefined) put('ca', files.text(names.ca));
  if (names.client !== undefined) {
    put('client', files.text(names.client));
    put('key', files.text(names.key ?? `${names.client}-key`));
  }
  const fields: BrokerFields = {
    ...(names.ca !== undefined && { caFile: path('ca') }),
    ...(names.client !== undefined && { certificateFile: path('client'), keyFile: path('key') }),
  };
  return { path, put, fields };
}

export async function startListener(transport: 'mqtt' | 'mqtts' | 'wss', options?: TlsOptions) {
  const listener = new TlsListener();
  await listener.open(transport, options);
  onTestFinished(() => listener.close());
  return listener;
}

/** Expects that a session fails for this reason, and comes back once that is mended. */
export async function expectRecovery(
  session: KeptSession,
  reason: string,
  mend: () => unknown,
): Promise<void> {
  await until(() => session.reasons.length > 0);
  expect(session.reasons[0]).toBe(reason);
  expect(session.links).toHaveLength(0);
  await mend();
  await until(() => session.links.length > 0);
}
