// TLS to a handler that is not on the public web: its own CA, and the certificate that the bridge shows it, both from
// secrets that are read again when a connection does not come about.
import type { Secrets } from '../base/secrets.ts';
import type { RouteConfig } from '../config/config.ts';
import { readSecret, secretForms } from './secret-forms.ts';

/** In the names of Node's TLS, as PEM. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface HandlerTls {
  /** For the next request; other ones are another connection. Rejects, with a reason that may be shown. */
  options(): Promise<TlsOptions>;
  /** A connection did not come about: what it was made with may have been rotated. */
  doubt(): void;
}

/** Undefined where the route trusts public CAs and shows no certificate. */
export function openHandlerTls(
  { caSecret, clientCertificateSecret }: Pick<RouteConfig, 'caSecret' | 'clientCertificateSecret'>,
  secrets: Secrets | undefined,
): HandlerTls | undefined {
  if (caSecret === undefined && clientCertificateSecret === undefined) return undefined;
  return {
    async options() {
      const [ca, pair] = await Promise.all([
        caSecret && readSecret(caSecret, secretForms.ca, secrets),
        clientCertificateSecret &&
          readSecret(clientCertificateSecret, secretForms.clientCertificate, secrets),
      ]);
      return { ...(ca && { ca }), ...(pair && pair) };
    },
    doubt() {
      for (const name of [caSecret, clientCertificateSecret])
        if (name !== undefined) secrets?.doubt(name);
    },
  };
}
