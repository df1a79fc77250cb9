// `auth: 'aws-iam'` in the config: what it needs of the other settings, and the region that it signs for. Without the
// AWS SDK, which is loaded only to sign.

/** What `auth` has to do with. */
export interface AwsAuthSettings {
  readonly url: string;
  readonly auth?: 'aws-iam' | undefined;
  readonly region?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly credentialsSecret?: string | undefined;
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly clientCertificateSecret?: string | undefined;
}

/** A signature is a credential by itself. */
const otherCredentials = [
  'username',
  'password',
  'credentialsSecret',
  'certificateFile',
  'keyFile',
  'clientCertificateSecret',
] as const;

/** The settings that do not go with `auth`, each with its rule; the URL is one. */
export function awsAuthFaults(
  settings: AwsAuthSettings,
): { readonly field: keyof AwsAuthSettings; readonly rule: string }[] {
  const { auth, url, region } = settings;
  if (auth === undefined)
    return region === undefined
      ? []
      : [{ field: 'region', rule: 'needs broker.auth: nothing is signed' }];
  const { protocol, pathname, hostname } = new URL(url);
  const faults: ReturnType<typeof awsAuthFaults> = otherCredentials
    .filter((field) => settings[field] !== undefined)
    .map((field) => ({ field, rule: 'must not stand beside broker.auth' }));
  // "Device communication protocols": MQTT over WebSocket is at wss://<endpoint>/mqtt, port 443.
  if (protocol !== 'wss:' || pathname !== '/mqtt')
    faults.push({ field: 'url', rule: 'must be wss://<endpoint>/mqtt beside broker.auth' });
  if (region === undefined && awsIotRegion(hostname) === undefined)
    faults.push({ field: 'region', rule: 'is needed: the host of broker.url does not say it' });
  return faults;
}

/**
 * The region of `<id>-ats.iot.<region>.amazonaws.com`, of an endpoint in China, with FIPS or in a VPC; undefined for a
 * domain of one's own.
 */
export function awsIotRegion(hostname: string): string | undefined {
  return /\.iot(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.exec(
    hostname,
  )?.[1];
}
