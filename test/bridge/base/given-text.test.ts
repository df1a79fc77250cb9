// Secrets and files as people leave them: read where they can be, else the very mistake is named.
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { jsonIn, pemIn, pemMistake, withoutMark } from '../../../bridge/base/given-text.ts';
import { fc } from '../../support/property.ts';
import { CertificateFiles } from '../connection/certificate-files.ts';

const mark = '\uFEFF';
const files = new CertificateFiles();
beforeAll(async () => {
  await files.make('authority');
  await files.make('bridge', { issuer: 'authority' });
});

/** What consoles, shells and editors make of a text. */
const mangled = fc
  .tuple(
    fc.constantFrom('\n', '\r\n', ' ', '\\n', '\\r\\n', '', '\t', '\n   '),
    fc.constantFrom('', mark),
    fc.constantFrom('', '  ', '\n', '"', '# a comment\n'),
  )
  .map(
    ([lineBreak, first, before]) =>
      (text: string) =>
        `${first}${before}${text.trim().replaceAll('\n', lineBreak)}${before}`,
  );

test('a key and a chain are the same however their lines were broken', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const chain = files.text('bridge') + files.text('authority');
  fc.assert(
    fc.property(mangled, (mangle) => {
      expect(createPrivateKey(pemIn(mangle(key))).equals(privateKey)).toBe(true);
      expect(pemIn(mangle(chain))).toBe(pemIn(chain));
      expect(pemMistake(pemIn(mangle(key)), 'private key')).toBeUndefined();
    }),
  );
  const [first = ''] = pemIn(chain).split('-----END CERTIFICATE-----\n');
  expect(new X509Certificate(`${first}-----END CERTIFICATE-----\n`).subject).toBe('CN=bridge');
});

test('a text without PEM, and an old encrypted key, stay as they are', () => {
  const encrypted =
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n';
  expect([pemIn('hunter2'), pemIn(encrypted), pemIn('')]).toEqual(['hunter2', encrypted, '']);
});

describe('the mistake', () => {
  const der = Buffer.from('308201223081c902', 'hex').toString('utf8');
  const begin = '-----BEGIN CERTIFICATE-----';
  test.each([
    ['', 'is empty'],
    [der, 'is DER, which is binary: convert it to PEM'],
    [Buffer.from(begin, 'utf16le').toString('utf8'), 'is UTF-16: save it as UTF-8'],
    [
      'MIIBIjCByQIBADA',
      'is base64 without the lines -----BEGIN …----- and -----END …----- around it',
    ],
    ['hunter2', 'has no -----BEGIN …----- line'],
    ['-----BEGIN PRIVATE KEY-----', 'holds PRIVATE KEY, and no certificate'],
    [`${begin}\nMIIB`, 'is cut off: an -----END …----- line is missing'],
    [`${begin}\nhunter2\n-----END CERTIFICATE-----`, undefined],
  ])('in PEM: %j', (text, mistake) => {
    expect(pemMistake(text, 'certificate')).toBe(mistake);
  });

  test.each([
    [' ', 'is empty'],
    [Buffer.from(`${mark}{}`, 'utf16le').toString('utf8'), 'is UTF-16: save it as UTF-8'],
    [
      '{"certificate":"-----BEGIN\nMIIB"}',
      /^is not JSON: a line break inside a text is written \\n/,
    ],
    ['{"a":1,\n"b":2,\n}', /^is not JSON, see line \d$/],
    ['hunter2', 'is not JSON'],
  ])('in JSON: %j', (text, mistake) => {
    const json = jsonIn(text);
    if (json.ok) throw new Error('it is JSON');
    if (typeof mistake === 'string') expect(json.mistake).toBe(mistake);
    else expect(json.mistake).toMatch(mistake);
    expect(json.mistake).not.toContain('hunter2');
  });
});

test('JSON is read behind the mark of an editor', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(jsonIn(mark + text)).toEqual({ ok: true, value: JSON.parse(text) });
      expect(withoutMark(mark + text)).toBe(text);
    }),
  );
});
