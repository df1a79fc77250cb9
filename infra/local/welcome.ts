// What `npm start` prints once it runs: where each part is, lines to paste, and what is left out or not ready.
import type { CausewayConfig } from '../config.ts';
import type { Settings } from './settings.ts';
import type { LocalStack } from './stack.ts';

export interface Started {
  readonly settings: Settings;
  readonly config: Pick<CausewayConfig, 'broker' | 'routes'>;
  /** Whether simulated devices run, too. */
  readonly demo: boolean;
}

export function welcome(
  stack: Omit<LocalStack, 'ownBrokerUrl' | 'stop'>,
  { settings, config, demo }: Started,
): string {
  const { apiUrl, brokerUrl, brokerUrls, databaseUrl, bridgeUrl, token, problems } = stack;
  const shownUrls =
    settings.broker === undefined ? [brokerUrl.replace(/\/\/[^@/]*@/, '//')] : brokerUrls;
  const at = connectOptions(brokerUrl, { settings, config });
  const topic = demo ? 'demo/kitchen/temperature' : 'rooms/kitchen';
  const commandTopic = demo ? 'demo/kitchen/cmd' : 'rooms/kitchen/cmd';
  const authorization = `-H 'Authorization: Bearer ${token}'`;
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

  API        ${apiUrl}, described at ${apiUrl}/docs
  Broker     ${shownUrls.join(', ')}
  Database   ${databaseUrl}
  Bridge     ${bridgeUrl}
  Token      ${token}
${leftOut.length > 0 ? `\nWithout WEBHOOKS=true, routes with a handler do not run: ${leftOut.join(', ')}\n` : ''}${
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

/** How MQTT.js's command line gets in; capitals stand for what is not to be shown. */
function connectOptions(brokerUrl: string, { settings, config }: Omit<Started, 'demo'>): string {
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
