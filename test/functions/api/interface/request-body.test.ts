// A request's JSON body: which encodings are taken.
import { expect, test } from 'vitest';
import { readJsonBody } from '../../../../functions/api/interface/request-body.ts';

const bodyWith = (encoding: string) =>
  readJsonBody(
    new Request('http://localhost/', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      body: '{}',
    }),
  );

test.each(['identity', 'Identity', 'IDENTITY'])('%s is no encoding', async (encoding) => {
  expect(await bodyWith(encoding)).toMatchObject({ value: {} });
});

test.each(['gzip', 'br', 'identity, gzip'])('%s is refused', async (encoding) => {
  expect(await bodyWith(encoding)).toMatchObject({ problem: { code: 'unsupported-media-type' } });
});
