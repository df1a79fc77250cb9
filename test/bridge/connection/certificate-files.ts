// Certificates for tests, made by the openssl command into a folder: `<name>.pem` and `<name>-key.pem`.
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../support/brokers.ts';

export interface CertificateOptions {
  /** Name of the certificate that signs it; without one it is self-signed. */
  readonly issuer?: string;
  /** As in `IP:127.0.0.1` or `DNS:broker`. */
  readonly subjectAltName?: string;
  /** Common name; the name of the file by default. */
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const dayMs = 86_400_000;
const run = promisify(execFile);

export class CertificateFiles {
  readonly #folder = temporaryFolder('certificates');

  path(name: string): string {
    return join(this.#folder, `${name}.pem`);
  }

  text(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Makes a file of several. */
  join(name: string, parts: readonly string[]): void {
    writeFileSync(this.path(name), parts.map((part) => this.text(part)).join(''));
  }

  /** What a server of node:tls takes. */
  identity(name: string): { cert: string; key: string } {
    return { cert: this.text(name), key: this.text(`${name}-key`) };
  }

  async make(name: string, options: CertificateOptions = {}): Promise<void> {
    const { issuer = name, commonName = name, subjectAltName = 'IP:127.0.0.1' } = options;
    const { notBefore = new Date(Date.now() - dayMs) } = options;
    const { notAfter = new Date(notBefore.getTime() + 400 * dayMs) } = options;
    const [key, request] = [this.path(`${name}-key`), join(this.#folder, `${name}.csr`)];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await run('openssl', [
      ...['req', '-new', ...curve, '-keyout', key, '-out', request],
      ...['-subj', `/CN=${commonName}`],
    ]);
    // mosquitto reads it as a user of its own.
    chmodSync(key, 0o644);
    const configuration = join(this.#folder, `${name}.cnf`);
    writeFileSync(configuration, this.#configuration(name, subjectAltName, issuer === name));
    writeFileSync(join(this.#folder, `${name}.index`), '');
    // Of the commands that sign, `ca` is the one that takes dates in OpenSSL 3.0.
    await run('openssl', [
      ...['ca', '-batch', '-notext', '-config', configuration, '-extensions', 'fields'],
      ...(issuer === name ? ['-selfsign'] : ['-cert', this.path(issuer)]),
      ...['-keyfile', this.path(`${issuer}-key`), '-in', request, '-out', this.path(name)],
      ...['-startdate', opensslTime(notBefore), '-enddate', opensslTime(notAfter)],
    ]);
  }

  #configuration(name: string, subjectAltName: string, isAuthority: boolean): string {
    return `[ca]
default_ca = this
[this]
database = ${join(this.#folder, `${name}.index`)}
new_certs_dir = ${this.#folder}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[fields]
subjectAltName = ${subjectAltName}
basicConstraints = CA:${isAuthority}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;
  }
}

/** YYYYMMDDHHMMSSZ. */
function opensslTime(date: Date): string {
  return `${date.toISOString().replaceAll(/[-:T]|\..*/g, '')}Z`;
}
