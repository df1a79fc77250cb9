import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSecrets, minAgeMs } from '../../../bridge/base/secrets.ts';
import { startFakeSecretsManager } from '../fake-secrets-manager.ts';

async function secretsOf(values: Record<string, string | null>) {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  const manager = await startFakeSecretsManager(values);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  return { manager, lines, clock, secrets: createSecrets(log, manager.client) };
}

test('a secret is read once, however many ask', async () => {
  const { manager, secrets } = await secretsOf({ broker: 'one' });
  expect(await Promise.all([secrets.read('broker'), secrets.read('broker')])).toEqual([
    'one',
    'one',
  ]);
  expect(await secrets.read('broker')).toBe('one');
  expect(manager.reads).toEqual(['broker']);
});

test('one that was refused is read again, but not more often than each half minute', async () => {
  const { manager, secrets, clock, lines } = await secretsOf({ broker: 'hunter1' });
  await secrets.read('broker');
  manager.values.set('broker', 'hunter2');
  secrets.doubt('broker');
  expect(await secrets.read('broker')).toBe('hunter1');
  clock.mockReturnValue(minAgeMs);
  secrets.doubt('broker');
  expect(await secrets.read('broker')).toBe('hunter2');
  secrets.doubt('broker');
  expect(await secrets.read('broker')).toBe('hunter2');
  expect(manager.reads).toHaveLength(2);
  expect(lines.join()).toContain('"changed":true');
  expect(lines.join()).not.toContain('hunter');
});

test('one that cannot be read says so, and is tried again with back-off', async () => {
  const { manager, secrets, clock, lines } = await secretsOf({ broker: null });
  const reason = /^the secret broker cannot be read: ResourceNotFoundException: /;
  await expect(secrets.read('broker')).rejects.toThrow(reason);
  await expect(secrets.read('broker')).rejects.toThrow(reason);
  expect(manager.reads).toHaveLength(1);
  expect(lines.filter((line) => line.includes('a secret cannot be read'))).toHaveLength(1);
  manager.values.set('broker', 'hunter2');
  clock.mockReturnValue(30_000);
  expect(await secrets.read('broker')).toBe('hunter2');
});

test('where reading it again fails, the old value is used meanwhile', async () => {
  const { manager, secrets, clock } = await secretsOf({ broker: 'hunter1' });
  await secrets.read('broker');
  manager.values.set('broker', null);
  clock.mockReturnValue(minAgeMs);
  secrets.doubt('broker');
  expect(await secrets.read('broker')).toBe('hunter1');
  manager.values.set('broker', 'hunter2');
  clock.mockReturnValue(3 * minAgeMs);
  expect(await secrets.read('broker')).toBe('hunter2');
});
