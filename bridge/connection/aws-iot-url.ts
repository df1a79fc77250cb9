// The address of AWS IoT Core for one connection by WebSocket: signed by SigV4 with this process's credentials. Loaded
// only where the config asks for it.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { awsIotRegion } from '../config/aws-iot-auth.ts';
import { Sha256 } from '../handler/aws-signing.ts';

/**
 * Credentials as the AWS SDK finds them: environment, task role, profile. A client's config has them; they are kept,
 * and renewed from five minutes before they expire.
 */
let environment: DynamoDBClient | undefined;

/** The URL is for a connection that is made now: it is good for a minute. */
const expiresInSeconds = 60;

/**
 * A WebSocket URL that AWS IoT Core accepts once, from now. It holds a credential: it is not for logs. Rejects where
 * there are no credentials.
 *
 * @param text `wss://<endpoint>/mqtt`
 * @param region where the endpoint does not say it
 */
export async function signedAwsIotUrl(text: string, region?: string): Promise<string> {
  const { hostname, host, pathname: path } = new URL(text);
  environment ??= new DynamoDBClient({ region: 'us-east-1' });
  const { sessionToken, ...credentials } = await environment.config.credentials();
  const signer = new SignatureV4({
    service: 'iotdevicegateway',
    region: region ?? awsIotRegion(hostname) ?? '',
    credentials,
    sha256: Sha256,
  });
  const { query = {} } = await signer.presign(
    { method: 'GET', protocol: 'wss:', hostname, path, headers: { host } },
    { expiresIn: expiresInSeconds },
  );
  // AWS IoT Core, unlike other services, wants the token after the signature, and not under it: Developer Guide,
  // "IAM users, groups, and roles".
  const all = {
    ...query,
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
  };
  const pairs = Object.entries(all).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
  );
  return `wss://${host}${path}?${pairs.join('&')}`;
}
