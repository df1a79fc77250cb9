// The log beside what is printed for people: a line each, and not twice what is printed with its cure.
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { terminalLog } from '../../../infra/local/terminal-log.ts';

function logged(level: Parameters<typeof terminalLog>[0]) {
  const stream = new PassThrough();
  const log = terminalLog(level, stream);
  const lines = () =>
    String(stream.read() ?? '')
      .split('\n')
      .slice(0, -1);
  return { log, lines };
}

test('a warning is one line, without numbers of processes', () => {
  const { log, lines } = logged('warn');
  log.child({ route: 'store' }).warn({ reason: 'x' }, 'something is odd');
  log.info('nothing to see');
  expect(lines()).toEqual([
    expect.stringMatching(
      /^\d\d:\d\d:\d\d {2}WARN: something is odd .*"route":"store","reason":"x"/,
    ),
  ]);
});

test('what names its condition is printed elsewhere', () => {
  const { log, lines } = logged('info');
  log.child({ route: 'store' }).warn({ condition: 'holding', reason: 'x' }, 'holding');
  log.error(new Error('a bug'), 'a function failed');
  expect(lines()[0]).toContain('a function failed');
});
