// What is shown to the broker, and whom to trust, for one connection: from the config, from files, and from secrets.
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { BrokerConfig } from '../config.ts';
import type { Secrets } from '../secrets.ts';

/** The broker as connections see it. */
export interface Broker extends BrokerConfig {
  /** Needed where the config names secrets. */
  readonly secrets?: Secrets | undefined;
}

/** In the names of MQTT.js and of Node's TLS. */
export interface Access {
  username?: string;
  password?: string;
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  ALPNProtocols?: string[];
}

const credentialsSchema = z.object({ username: z.string(), password: z.string() });
const certificateSchema = z.object({ certificate: z.string(), privateKey: z.string() });

/**
 * Reads what the next connection needs, so that a renewed file or secret is used without a restart. Rejects, with a
 * reason that may be shown, where something cannot be read.
 */
export async function accessTo(broker: Broker): Promise<Access> {
  const { username, password, serverName, alpnProtocols } = broker;
  const [credentials, ca, certificate] = await Promise.all([
    credentialsOf(broker),
    caOf(broker),
    certificateOf(broker),
  ]);
  return {
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
}: Broker): void {
  for (const name of [credentialsSecret, caSecret, clientCertificateSecret])
    if (name !== undefined) secrets?.doubt(name);
}

async function credentialsOf({ secrets, credentialsSecret }: Broker) {
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
