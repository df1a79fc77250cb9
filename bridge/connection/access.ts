// What is shown to the broker, and whom to trust, for one connection: from the config, from files, and from secrets.

import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import { jsonIn, pemIn } from '../base/given-text.ts';
import type { Secrets } from '../base/secrets.ts';
import { brokerFields } from '../config/broker.ts';
import type { BrokerConfig } from '../config/config.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import { secretNamesIn } from '../config/secret-names.ts';
import { certificateSchema, secretText } from '../handler/secret-forms.ts';
import type { CertificateExpiry } from './certificate-expiry.ts';
import { oneNetAccess } from './onenet-access.ts';
import type { TlsTexts } from './tls-material.ts';

/** The broker as connections see it. */
export interface Broker extends BrokerConfig {
  /** Needed where the config names secrets. */
  readonly secrets?: Secrets | undefined;
  /** What it does not take, where the profile does not say it. */
  readonly rules?: BrokerRules | undefined;
  /** Where those of its connections are followed. */
  readonly certificates?: CertificateExpiry | undefined;
}

/** In the names of MQTT.js and of Node's TLS. */
export interface Access extends TlsTexts {
  /** In place of the config's URL, where each connection needs a new one. */
  url?: string;
  username?: string;
  password?: string;
  servername?: string;
  ALPNProtocols?: string[];
  /** Time after which the connection has to be replaced, as what is shown expires: milliseconds. */
  renewAfterMs?: number;
}

const credentialsSchema = z.object({ username: z.string(), password: z.string() });

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
export function doubtAccess({ secrets, ...broker }: Broker): void {
  for (const name of secretNamesIn(brokerFields, broker)) secrets?.doubt(name);
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
    return oneNetAccess(onenet, clientId, (name) => secretText(name, secrets), Date.now());
  if (credentialsSecret === undefined) return undefined;
  return fieldsOf(credentialsSecret, credentialsSchema, secrets);
}

async function caOf({ secrets, caSecret, caFile }: Broker): Promise<string | undefined> {
  if (caSecret !== undefined) return pemIn(await secretText(caSecret, secrets));
  return caFile === undefined ? undefined : pemOf(caFile);
}

async function certificateOf({
  secrets,
  clientCertificateSecret,
  certificateFile,
  keyFile,
}: Broker): Promise<Pick<Access, 'cert' | 'key'> | undefined> {
  if (clientCertificateSecret !== undefined) {
    const fields = await fieldsOf(clientCertificateSecret, certificateSchema, secrets);
    return { cert: pemIn(fields.certificate), key: pemIn(fields.privateKey) };
  }
  if (certificateFile === undefined || keyFile === undefined) return undefined;
  return { cert: await pemOf(certificateFile), key: await pemOf(keyFile) };
}

async function pemOf(path: string): Promise<string> {
  return pemIn(await readFile(path, 'utf8'));
}

async function fieldsOf<S extends z.ZodObject>(
  name: string,
  schema: S,
  secrets: Secrets | undefined,
): Promise<z.output<S>> {
  const text = await secretText(name, secrets);
  const json = jsonIn(text);
  const parsed = json.ok ? schema.safeParse(json.value) : undefined;
  if (parsed?.success) return parsed.data;
  const fields = Object.keys(schema.shape).join(' and ');
  const mistake = json.ok ? '' : `, and ${json.mistake}`;
  // Mended there, it has to be read again.
  secrets?.doubt(name);
  throw new Error(`the secret ${name} must be a JSON object with the strings ${fields}${mistake}`);
}
