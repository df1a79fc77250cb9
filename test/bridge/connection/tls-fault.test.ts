// What alerts and codes mean that no broker here sends; those that one does send are in tls.test.ts.
import { beforeAll, expect, test } from 'vitest';
import { certificatesIn } from '../../../bridge/connection/certificates.ts';
import { tlsFault } from '../../../bridge/connection/tls-fault.ts';
import type { TlsMaterial } from '../../../bridge/connection/tls-material.ts';
import { CertificateFiles } from './certificate-files.ts';

const files = new CertificateFiles();
let material: TlsMaterial;
beforeAll(async () => {
  await files.make('bridge');
  material = {
    ca: undefined,
    client: {
      certificates: certificatesIn(files.text('bridge')),
      source: 'the secret certificate',
    },
  };
});

const none: TlsMaterial = { ca: undefined, client: undefined };
const faultOf = (error: { code?: string; message: string }, shown = none) =>
  tlsFault(error, {
    seen: { chain: [], isSecure: false },
    material: shown,
    serverName: 'broker.example',
    nowMs: Date.now(),
  });
const alert = (number: number) => ({
  code: 'EPROTO',
  message: `write EPROTO 80:error:0A000410:SSL routines:ssl3_read_bytes:…:SSL alert number ${number}\n`,
});

test.each([
  [42, 'it says that it is broken or not signed rightly (bad_certificate)'],
  [43, 'it does not take this kind (unsupported_certificate)'],
  [44, 'it says that it was revoked (certificate_revoked)'],
  [45, 'it says that it has expired, or is not valid yet (certificate_expired)'],
  [46, 'it does not say why (certificate_unknown)'],
  [48, 'it does not know its CA (unknown_ca)'],
  [49, 'it grants no access with it (access_denied)'],
  [51, 'its signature could not be verified (decrypt_error)'],
])('alert %i is about the client certificate, if one was shown', (number, reason) => {
  expect(faultOf(alert(number), material)).toBe(
    `the broker refused the client certificate in the secret certificate (CN=bridge, self-signed): ${reason}`,
  );
  expect(faultOf(alert(number))).toBe(`the broker ended the TLS handshake with alert ${number}`);
});

test.each([
  [112, 'the broker has no certificate for the name broker.example'],
  [120, 'the broker speaks none of broker.alpnProtocols'],
  [80, 'the broker ended the TLS handshake with alert 80'],
])('alert %i is not', (number, reason) => {
  expect(faultOf(alert(number), material)).toBe(reason);
});

test.each([
  ['CERT_REVOKED', 'certificate revoked'],
  ['INVALID_PURPOSE', 'unsuitable certificate purpose'],
])('%s is named as OpenSSL does', (code, message) => {
  expect(faultOf({ code, message })).toBe(`the broker's certificate is not accepted: ${message}`);
});

test.each(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'])('%s is not about TLS', (code) => {
  expect(faultOf({ code, message: `connect ${code} 127.0.0.1:8883` })).toBeUndefined();
});
