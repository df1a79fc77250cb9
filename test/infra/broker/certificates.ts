// Keys and certificates for tests, made by openssl.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Certificates {
  /** The file of a certificate, or with `-key` after the name that of its key. */
  pem(name: string): string;
  /** Makes a key and a certificate for `name` on loopback, signed by `issuer` or itself. */
  make(name: string, issuer?: string): void;
}

export function certificatesIn(folder: string): Certificates {
  const pem = (name: string) => join(folder, `${name}.pem`);
  return {
    pem,
    make(name, issuer = name) {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const files = ['-keyout', pem(`${name}-key`), '-out', pem(name)];
      const signed = issuer === name ? [] : ['-CA', pem(issuer), '-CAkey', pem(`${issuer}-key`)];
      const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
      const args = ['req', '-x509', '-days', '1', ...key, ...files, ...names, ...signed];
      execFileSync('openssl', args, { stdio: 'ignore' });
    },
  };
}
