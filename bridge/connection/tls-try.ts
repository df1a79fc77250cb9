// TLS of one try to connect: what is shown and trusted, what the broker showed, and why it failed.
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Access } from './access.ts';
import { type CertificateInUse, certificatesInUse } from './certificate-expiry.ts';
import { type SeenTls, watchHandshake } from './certificates.ts';
import { type TlsError, tlsFault } from './tls-fault.ts';
import { readMaterial, type Sources, type TlsMaterial } from './tls-material.ts';

/** Undefined for a URL without TLS. Throws, with a reason that may be shown, where a certificate or key is unusable. */
export function openTls(url: string, access: Access, sources: Sources): TlsTry | undefined {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'mqtts:' && protocol !== 'wss:') return undefined;
  return new TlsTry(
    readMaterial(access, sources),
    access.servername ?? hostname.replace(/^\[|\]$/g, ''),
  );
}

export class TlsTry {
  readonly #material: TlsMaterial;
  readonly #serverName: string;
  #seen: SeenTls = { chain: [], isSecure: false };

  /** `serverName` is the name that the broker's certificate has to be for, or an address. */
  constructor(material: TlsMaterial, serverName: string) {
    this.#material = material;
    this.#serverName = serverName;
  }

  /** Watches a socket that was made just now. */
  watch(socket: TLSSocket): void {
    this.#seen = watchHandshake(socket);
  }

  /** A socket for WebSocket over TLS, whose library keeps its own to itself. */
  connect(options: object): TLSSocket {
    // `path` is the URL's there, and a Unix socket's here. An address is no server name [RFC 6066, 3].
    const servername = isIP(this.#serverName) === 0 ? this.#serverName : '';
    const socket = connect({ ...options, path: undefined, servername });
    this.watch(socket);
    return socket;
  }

  /** Why the try ended before CONNACK, or undefined where it was not for TLS. */
  faultOf(error: TlsError): string | undefined {
    return tlsFault(error, {
      seen: this.#seen,
      material: this.#material,
      serverName: this.#serverName,
      nowMs: Date.now(),
    });
  }

  certificatesInUse(): CertificateInUse[] {
    return certificatesInUse(this.#seen.chain, this.#material);
  }
}
