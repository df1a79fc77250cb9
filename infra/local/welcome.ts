// What `npm start` prints once it runs: where each part is, lines to paste, and what is left out or not ready.
import type { CausewayConfig } from '../config/config.ts';
import type { HookSecret } from './hook-secret.ts';
import type { HookRoute } from './hooks.ts';
import { connectHost, isBeyondMachine } from './hosts.ts';
import type { Settings } from './settings.ts';
import type { LocalStack } from './stack.ts';

export interface Started {
  readonly settings: Settings;
  readonly config: Pick<CausewayConfig, 'broker' | 'routes'>;
  /** Whether simulated devices run, too. */
  readonly demo: boolean;
  /** Routes of `--hook`, and their secret. */
  readonly hooks?:
    | { readonly routes: readonly HookRoute[]; readonly secret: HookSecret }
    | undefined;
}

export function welcome(
  stack: Omit<LocalStack, 'ownBrokerUrl' | 'database' | 'conditions' | 'stop'> & {
    readonly database: Pick<LocalStack['database'], 'where'>;
  },
  { settings, config, demo, hooks }: Started,
): string {
  const { brokerUrl, brokerUrls, database, bridgeUrl, problems } = stack;
  const isOpen = isBeyondMachine(settings.HOST);
  const apiUrl = reachableUrl(stack.apiUrl, settings);
  // What is printed where other machines come in is a log that others read.
  const token = isOpen ? '$API_TOKEN' : stack.token;
  const shownUrls =
    settings.broker === undefined ? [brokerUrl.replace(/\/\/[^@/]*@/, '//')] : brokerUrls;
  const at = connectOptions(brokerUrl, { settings, config });
  const topic = demo ? 'demo/kitchen/temperature' : 'rooms/kitchen';
  const commandTopic = demo ? 'demo/kitchen/cmd' : 'rooms/kitchen/cmd';
  const quote = isOpen ? '"' : "'";
  const authorization = `-H ${quote}Authorization: Bearer ${token}${quote}`;
  const publish = (body: Record<string, unknown>) =>
    `curl ${authorization} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}' ${apiUrl}/v1/publish`;
  const ask = publish({
    topic: 'demo/kitchen/cmd/{commandId}',
    responseTopic: 'demo/kitchen/reply/{commandId}',
    payload: { read: 'celsius' },
    waitFor: 'reply',
  });
  const leftOut = settings.WEBHOOKS
    ? []
    : config.routes.filter(({ handler }) => handler !== undefined).map(({ name }) => name);
  return `
Causeway is running. Ctrl-C stops it.

  Console    ${isOpen ? apiUrl : `${apiUrl}/#token=${token}`}
  API        ${stack.apiUrl}, described at ${apiUrl}/docs
  Broker     ${shownUrls.join(', ')}
  Database   ${database.where}
  Bridge     ${bridgeUrl}
  Token      ${token}
${isOpen && settings.TLS_CERT_FILE === undefined ? openLines : ''}${hooks === undefined ? '' : `\n${hookLines(hooks)}\n`}${leftOut.length > 0 ? `\nWithout WEBHOOKS=true, routes with a handler do not run: ${leftOut.join(', ')}\n` : ''}${
  problems.length > 0 ? `\nNot ready:\n${problems.map((line) => `  ${line}\n`).join('')}` : ''
}
Publish as a device:
  npx mqtt pub ${at} -q 1 -t ${topic} -m '{"celsius":21.5}'

Read it back:
  curl ${authorization} '${apiUrl}/v1/messages?topic=${topic}&limit=3'

Publish to a device${demo ? ' (it prints what it receives here)' : ` (listen first, in another terminal: npx mqtt sub ${at} -q 1 -t ${commandTopic})`}:
  ${publish({ topic: commandTopic, payload: { fan: 'on' } })}
${demo ? `\nAsk a device, and get its answer:\n  ${ask}\n` : ''}`;
}

const openLines = `
Other machines can reach the API without TLS: who is between reads tokens and messages. TLS_CERT_FILE and TLS_KEY_FILE
name a certificate and its key; or let a proxy with TLS stand in front.
`;

/** The API's address for lines to paste; capitals stand for the name in the certificate, which is not known here. */
function reachableUrl(apiUrl: string, { HOST, TLS_CERT_FILE }: Settings): string {
  const url = new URL(apiUrl);
  const host = TLS_CERT_FILE === undefined ? connectHost(HOST) : 'HOST_NAME';
  return `${url.protocol}//${host}${url.port === '' ? '' : `:${url.port}`}`;
}

/** Where messages go, and what its handler verifies them with: the secret is shown by the start that made it. */
function hookLines({ routes, secret }: NonNullable<Started['hooks']>): string {
  const to = routes.map(({ name, hook }) => `  ${name}: ${hook.filter ?? '#'} → POST ${hook.url}`);
  const shown = secret.isNew
    ? `${secret.secret}, kept in ${secret.path} and not shown again`
    : `in ${secret.path}`;
  return [
    'Hooks, signed as Standard Webhooks; each request is shown here:',
    ...to,
    `  Secret     ${shown}`,
  ].join('\n');
}

/** How MQTT.js's command line gets in; capitals stand for what is not to be shown. */
function connectOptions(
  brokerUrl: string,
  { settings, config }: Pick<Started, 'settings' | 'config'>,
): string {
  const { hostname, port, protocol, username } = new URL(brokerUrl);
  const configured = settings.USE_CONFIG_BROKER ? config.broker : undefined;
  const needsLogin =
    settings.broker?.usersFile !== undefined ||
    username !== '' ||
    configured?.credentialsSecret !== undefined;
  return [
    `-h ${hostname.replace(/^\[|\]$/g, '')} -p ${port || (protocol === 'mqtts:' ? 8883 : 1883)}`,
    ...(protocol === 'mqtt:' ? [] : [`-C ${protocol.slice(0, -1)}`]),
    ...(configured?.caSecret === undefined ? [] : ['--ca CA_FILE']),
    ...(configured?.clientCertificateSecret === undefined
      ? []
      : ['--cert CERTIFICATE_FILE --key KEY_FILE']),
    ...(needsLogin ? ['-u USER -P PASSWORD'] : []),
  ].join(' ');
}
