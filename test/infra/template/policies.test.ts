// The part of IAM that the template is judged by.
import { expect, test } from 'vitest';
import { isAllowed, matches, policyDocumentSchema, type Use, unusedOf } from './rig/policies.ts';

const table = 'arn:aws:dynamodb:eu-central-1:123456789012:table/messages';
const { Statement } = policyDocumentSchema.parse({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:Query'], Resource: table },
    {
      Effect: 'Allow',
      Action: 'lambda:InvokeFunction',
      Resource: '*',
      Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': true } },
    },
  ],
});
const policies = new Map([['reader', Statement]]);
const read: Use = { role: 'reader', action: 'dynamodb:GetItem', resource: table };

test('allowed is what a statement of the role says, and nothing else', () => {
  expect(isAllowed(policies, read)).toBe(true);
  expect(isAllowed(policies, { ...read, role: 'other' })).toBe(false);
  expect(isAllowed(policies, { ...read, action: 'dynamodb:GetItems' })).toBe(false);
  expect(isAllowed(policies, { ...read, resource: `${table}2` })).toBe(false);
});

test('conditions have to hold', () => {
  const invoke = { role: 'reader', action: 'lambda:InvokeFunction', resource: 'arn' };
  expect(isAllowed(policies, invoke)).toBe(false);
  const context = { 'lambda:InvokedViaFunctionUrl': true };
  expect(isAllowed(policies, { ...invoke, context })).toBe(true);
});

test('unused is every action on every resource that nobody did', () => {
  expect(unusedOf(policies, [read])).toEqual([
    `reader dynamodb:Query ${table}`,
    'reader lambda:InvokeFunction *',
  ]);
});

test('a policy with parts that are not known here is refused', () => {
  const deny = { Version: '2012-10-17', Statement: [{ ...Statement[0], Effect: 'Deny' }] };
  expect(policyDocumentSchema.safeParse(deny).success).toBe(false);
});

test.each([
  ['a*c', 'abbc', true],
  ['a??c', 'abbc', true],
  ['a?c', 'abbc', false],
  ['a.c', 'abc', false],
])('%s matches %s: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});
