// An authority of the suite's own and a certificate for 127.0.0.1, made by openssl.
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/brokers.ts';

/** PEM files. */
export interface Certificate {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export function makeCertificate(): Certificate {
  const folder = temporaryFolder('certificate');
  const file = (name: string) => join(folder, `${name}.pem`);
  const make = (name: string, ...more: string[]) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', file(`${name}-key`), '-out', file(name), '-subj', `/CN=${name}`];
    execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, ...files, ...more], {
      stdio: 'ignore',
    });
    // Brokers that drop to a user of their own have to read it.
    chmodSync(file(`${name}-key`), 0o644);
  };
  make('authority');
  const signed = ['-CA', file('authority'), '-CAkey', file('authority-key')];
  make('broker', ...signed, '-addext', 'subjectAltName=IP:127.0.0.1');
  return {
    caFile: file('authority'),
    certFile: file('broker'),
    keyFile: file('broker-key'),
  };
}
