// The resolver of the template's references: what each comes to, and that it refuses what it does not know.
import { expect, test } from 'vitest';
import { type Names, resolve } from './rig/intrinsics.ts';

const names: Names = {
  ref: (name) => `<${name}>`,
  attribute: (id, name) => `<${id}.${name}>`,
  secret: (id, field) => `secret of ${id}${field === undefined ? '' : `, ${field}`}`,
};

test.each([
  [{ Ref: 'Table' }, '<Table>'],
  [{ 'Fn::GetAtt': ['Table', 'Stream.Arn'] }, '<Table.Stream.Arn>'],
  [{ 'Fn::GetAtt': 'Table.Arn' }, '<Table.Arn>'],
  [{ 'Fn::Join': ['-', ['a', { Ref: 'B' }]] }, 'a-<B>'],
  [
    { 'Fn::Sub': `a/\${AWS::Region}/\${Table.Arn}/\${!kept}` },
    `a/<AWS::Region>/<Table.Arn>/\${kept}`,
  ],
  [{ 'Fn::Sub': [`\${x}\${B}`, { x: { Ref: 'A' } }] }, '<A><B>'],
  [{ 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b'] }] }, 'b'],
  [{ list: [{ Ref: 'A' }, 1, true, null] }, { list: ['<A>', 1, true, null] }],
  ['{{resolve:secretsmanager:arn:aws:x:SecretString:::}}', 'secret of arn:aws:x'],
  [
    { 'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: 'S' }, ':SecretString:key::}}']] },
    'secret of <S>, key',
  ],
])('%j', (value, resolved) => {
  expect(resolve(value, names)).toEqual(resolved);
});

test.each([
  [{ 'Fn::ImportValue': 'x' }, 'unknown intrinsic function Fn::ImportValue'],
  [{ Ref: 'A', more: 1 }, 'is not alone'],
  [{ 'Fn::Join': ['', [1]] }, 'not a text'],
  ['{{resolve:ssm:x}}', 'unknown dynamic reference'],
])('%j is refused', (value, reason) => {
  expect(() => resolve(value, names)).toThrow(reason);
});
