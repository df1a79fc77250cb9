// What is shown to the broker, and whom to trust, for one connection: from the config, from files, and from secrets.
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { BrokerConfig } from '../config.ts';
import { profileOf } from '../profiles/profiles.ts';
import type { Secrets } from '../secrets.ts';
import type { CertificateExpiry } from './certificate-expiry.ts';
import { oneNetAccess } from './onenet-access.ts';
import { oneNetSecretName } from './onenet-config.ts';

/** The broker as connections see it. */
export interface Broker extends BrokerConfig {
  /** Needed where the config names secrets. */
  readonly secrets?: Secrets | undefined;
  /** Where those of its connections are followed. */
  readonly certificates?: CertificateExpiry | undefined;
}

/** In the names of MQTT.js and of Node's TLS. */
export interface Access {
  /** In place of the config's URL, where that has to be made anew for each connection. */
  url?: string;
  username?: string;
  password?: string;
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  ALPNProtocols?: string[];
  /** Time after which the connection has to be made anew, as what is shown expires: milliseconds. */
  renewAfterMs?: number;
}

const credentialsSchema = z.object({ username: z.string(), password: z.string() });
const certificateSchema = z.object({ certificate: z.string(), privateKey: z.string() });

/**
 * Reads what the next connection needs, so that a renewed file or secret is used without a restart. Rejects, with a
 * reason that may be shown, where something cannot be read.
 */
export async function accessTo(broker: Broker, clientId: string): Promise<Access> {
  const { username, password, serverName } = broker;
  const alpnProtocols = alpnProtocolsOf(broker);
  const [url, credentials, ca, certificate] = await Promise.all([
    urlOf(broker),
    credentialsOf(broker, clientId),
    caOf(broker),
    certificateOf(broker),
  ]);
  return {
    ...(url !== undefined && { url }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...credentials,
    ...(ca !== undefined && { ca }),
    ...certificate,
    ...(serverName !== undefined && { servername: serverName }),
    ...(alpnProtocols !== undefined && { ALPNProtocols: alpnProtocols }),
  };
}

/** The broker refused the connection, or closed it before CONNACK: what is secret may have been rotated. */
export function doubtAccess({
  secrets,
  credentialsSecret,
  caSecret,
  clientCertificateSecret,
  onenet,
}: Broker): void {
  const names = [credentialsSecret, caSecret, clientCertificateSecret, oneNetSecretName(onenet)];
  for (const name of names) if (name !== undefined) secrets?.doubt(name);
}

/** The signed URL of this connection; undefined where the config's own will do. */
async function urlOf({ auth, url, region }: Broker): Promise<string | undefined> {
  if (auth === undefined) return undefined;
  return (await import('./aws-iot-url.ts')).signedAwsIotUrl(url, region);
}

/** Those of the config, or what the broker wants to be named at this port. */
function alpnProtocolsOf({ alpnProtocols, profile, url }: Broker): string[] | undefined {
  const { alpn } = profileOf(profile);
  const { protocol, port } = new URL(url);
  const isWanted = alpn !== undefined && protocol === 'mqtts:' && port === String(alpn.port);
  return alpnProtocols ?? (isWanted ? [alpn.protocol] : undefined);
}

async function credentialsOf({ secrets, credentialsSecret, onenet }: Broker, clientId: string) {
  if (onenet !== undefined)
    return oneNetAccess(onenet, clientId, (name) => textOf(name, secrets), Date.now());
  if (credentialsSecret === undefined) return undefined;
  return fieldsOf(credentialsSecret, credentialsSchema, secrets);
}

async function caOf({ secrets, caSecret, caFile }: Broker): Promise<string | undefined> {
  if (caSecret !== undefined) return textOf(caSecret, secrets);
  return caFile === undefined ? undefined : fileText(caFile);
}

async function certificateOf({
  secrets,
  clientCertificateSecret,
  certificateFile,
  keyFile,
}: Broker): Promise<Pick<Access, 'cert' | 'key'> | undefined> {
  if (clientCertificateSecret !== undefined) {
    const fields = await fieldsOf(clientCertificateSecret, certificateSchema, secrets);
    return { cert: fields.certificate, key: fields.privateKey };
  }
  if (certificateFile === undefined || keyFile === undefined) return undefined;
  return { cert: await fileText(certificateFile), key: await fileText(keyFile) };
}

async function fileText(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

async function textOf(name: string, secrets: Secrets | undefined): Promise<string> {
  if (secrets === undefined) throw new Error(`there is no store for the secret ${name}`);
  return secrets.read(name);
}

async function fieldsOf<S extends z.ZodObject>(
  name: string,
  schema: S,
  secrets: Secrets | undefined,
): Promise<z.output<S>> {
  const text = await textOf(name, secrets);
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // The errors of JSON.parse repeat what they could not read.
    const fields = Object.keys(schema.shape).join(' and ');
    // Mended there, it has to be read again.
    secrets?.doubt(name);
    throw new Error(`the secret ${name} must be a JSON object with the strings ${fields}`);
  }
}
