import { describe, expect, test } from 'vitest';
import { tokenMethods } from '../../../bridge/config/onenet.ts';
import {
  oneNetToken,
  type TokenParts,
  tokenResource,
} from '../../../bridge/connection/onenet-token.ts';
import { readToken, tokenRefusal } from '../../support/onenet-token-check.ts';
import { fc } from '../../support/property.ts';

const key = 'KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=';

describe('published tokens', () => {
  // The example of OneNET's documentation.
  test('a product, sha1', () => {
    const parts = { resource: 'products/123123', expiresAtSeconds: 1537255523, key };
    expect(oneNetToken({ ...parts, method: 'sha1' })).toBe(
      'version=2018-10-31&res=products%2F123123&et=1537255523&method=sha1&sign=lsaPSiiGvEFFjXu5WU7a6IkScqE%3D',
    );
  });

  // Known answers of the tests of LuatOS (module iotauth), a system on devices that connect to OneNET.
  test.each([
    ['md5', 'htDD26UhXtXayMFAWRmNiA%3D%3D'],
    ['sha1', 'onzQlILHFFNqIY%2BdOXYM3lthLT8%3D'],
    ['sha256', '6Y4zbk3Sa89tRf9lMxCCE0jG74uEcEuu%2Fnly1pU9ADM%3D'],
  ] as const)('a device, %s', (method, sign) => {
    const resource = tokenResource('Ck2AF9QD2K', 'test');
    expect(oneNetToken({ resource, expiresAtSeconds: 32472115200, method, key })).toBe(
      `version=2018-10-31&res=products%2FCk2AF9QD2K%2Fdevices%2Ftest&et=32472115200&method=${method}&sign=${sign}`,
    );
  });

  test.each([
    ['md5', 'wZWDnoyHugla0wMlcl75xg%3D%3D'],
    ['sha1', 'FHt8BqSNGv0VEJKbHN4zod6a69Q%3D'],
  ] as const)('a short key, %s', (method, sign) => {
    const resource = tokenResource('12342334', 'test');
    const parts = { resource, expiresAtSeconds: 32472115200, key: 'adfasdfadsfadsf=' };
    expect(oneNetToken({ ...parts, method })).toMatch(new RegExp(`&sign=${sign}$`));
  });
});

const anyMethod = fc.constantFrom(...tokenMethods);
const anyKey = fc
  .uint8Array({ minLength: 1, maxLength: 200 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
// Whatever a platform may call its products and devices: also what has to be encoded, and what is no ASCII.
const anyName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });

test('the platform takes every token that is made, and reads what went into it', () => {
  fc.assert(
    fc.property(
      anyName,
      anyName,
      anyMethod,
      anyKey,
      fc.integer({ min: 1, max: 4_000_000_000 }),
      (product, device, method, secret, expiresAtSeconds) => {
        const resource = tokenResource(product, device);
        const token = oneNetToken({ resource, expiresAtSeconds, method, key: secret });
        const keys = new Map([[resource, secret]]);
        expect(tokenRefusal(token, { keys, nowSeconds: expiresAtSeconds - 1 })).toBeUndefined();
        expect(tokenRefusal(token, { keys, nowSeconds: expiresAtSeconds })).toBe('et');
        expect(readToken(token)).toMatchObject({
          res: resource,
          et: String(expiresAtSeconds),
          method,
        });
      },
    ),
  );
});

test('another part is another signature', () => {
  const parts = { resource: 'products/1', expiresAtSeconds: 1000, key };
  const others: readonly Partial<TokenParts>[] = [
    { resource: 'products/2' },
    { expiresAtSeconds: 1001 },
    { method: 'sha1' },
    { key: Buffer.from('another').toString('base64') },
  ];
  const signOf = (token: string) => new URLSearchParams(token).get('sign');
  const signs = [{}, ...others].map((other) =>
    signOf(oneNetToken({ ...parts, method: 'sha256', ...other })),
  );
  expect(new Set(signs).size).toBe(signs.length);
});
