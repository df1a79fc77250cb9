import { expect, test } from 'vitest';
import * as z from 'zod';
import { apiUrl, readApiCommand } from '../../../infra/cli/api-command.ts';

const schema = z.strictObject({
  filter: z.string('is required'),
  json: z.literal(true, 'takes no value').optional(),
  url: apiUrl,
});
const command = { schema, texts: ['filter'] };
const environment = { CAUSEWAY_TOKEN: 'token' };
const read = (args: string[], more: object = {}, given: Record<string, string> = environment) =>
  readApiCommand({ args, environment: given }, { ...command, ...more });

test('asks the API of this machine, or the one that is named; an option goes first', () => {
  const options = { filter: '#', token: 'token', argument: undefined };
  const url = 'http://127.0.0.1:8080';
  expect(read(['--filter', '#'])).toEqual({ kind: 'read', options: { ...options, url } });
  const given = { ...environment, CAUSEWAY_URL: 'https://one.example.com' };
  expect(read(['--filter', '#'], {}, given)).toMatchObject({
    options: { url: 'https://one.example.com' },
  });
  const args = ['--filter', '#', '--url', 'https://other.example.com'];
  expect(read(args, {}, given)).toMatchObject({ options: { url: 'https://other.example.com' } });
});

test('has an argument where it can', () => {
  const args = ['--filter', '#', '--json', 'an argument'];
  expect(read(args, { hasArgument: true })).toMatchObject({
    options: { json: true, argument: 'an argument' },
  });
  expect(read([...args, 'another'], { hasArgument: true })).toMatchObject({ kind: 'faulty' });
  expect(read(args)).toMatchObject({ kind: 'faulty' });
});

test('--help goes before all that is wrong, and all of that is told', () => {
  expect(read(['surplus', '--bogus', '-h'], {}, {})).toEqual({ kind: 'help' });
  const args = ['surplus', '--json=1', '--bogus', '--url', 'nowhere'];
  expect(read(args, {}, { CAUSEWAY_TOKEN: 'to\nken' })).toEqual({
    kind: 'faulty',
    problems: [
      '--filter is required',
      '--json takes no value',
      '--url must be a URL that starts with http:// or https://',
      '--bogus is not a known option',
      'too many arguments: quote what has spaces',
      'CAUSEWAY_TOKEN must hold a token',
    ],
  });
  expect(read(['--filter', '#'], { scope: 'admin' }, {})).toEqual({
    kind: 'faulty',
    problems: ['CAUSEWAY_TOKEN must hold a token with the scope admin'],
  });
});
