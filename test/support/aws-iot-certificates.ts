// Keys and certificates for the AWS IoT Core of the tests: PEM files by name.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from './brokers.ts';

interface Certificates {
  readonly pem: (name: string) => string;
}

let made: Certificates | undefined;

/** The same for all brokers of a process: making them takes a while. */
export function awsIotCertificates(): Certificates {
  made ??= makeCertificates();
  return made;
}

/** An authority, a certificate for `localhost`, and one of a client, made by openssl. */
function makeCertificates(): Certificates {
  const folder = temporaryFolder('aws-iot');
  const pem = (name: string) => join(folder, `${name}.pem`);
  for (const name of ['authority', 'broker', 'client']) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', pem(`${name}-key`), '-out', pem(name)];
    const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'];
    const signed =
      name === 'authority' ? [] : ['-CA', pem('authority'), '-CAkey', pem('authority-key')];
    execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, ...files, ...names, ...signed], {
      stdio: 'ignore',
    });
  }
  return { pem };
}
