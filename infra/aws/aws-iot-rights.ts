// What the bridge's task may do at AWS IoT Core where it signs in with its own role: connect with its client ids, hear
// the topics of its routes, send commands, and say that it is there. Pure.
import { awsIotRegion } from '../../bridge/config/aws-iot-auth.ts';
import { shareGroupOf } from '../../bridge/config/route.ts';
import type { CausewayConfig } from '../config/config.ts';
import { bridgeRoutes } from '../config/presence-routes.ts';

export interface AwsIotRight {
  readonly actions: readonly string[];
  /** `client/<id>`, `topic/<name>` or `topicfilter/<filter>`; `*` stands for any text. */
  readonly resources: readonly string[];
}

/** The region of the broker, which need not be that of the stack. */
export function awsIotRegionOf({ broker }: CausewayConfig): string | undefined {
  return broker.region ?? awsIotRegion(new URL(broker.url).hostname);
}

export function awsIotRights(config: CausewayConfig): AwsIotRight[] {
  const { broker, api } = config;
  if (broker.auth === undefined) return [];
  const routes = bridgeRoutes(config);
  const { clientIdPrefix } = broker;
  const clientIds = [`${clientIdPrefix}-*`, ...Object.values(broker.clientIds)];
  const replies = api.replyTopic === undefined ? defaultReplies : patternOfTemplate(api.replyTopic);
  const commands = unique([...api.commandFilters.map(patternOf), replies]);
  const heard = unique([...routes.map(({ filter }) => patternOf(filter)), ...commands]);
  const subscribed = unique([
    ...routes.map((route) => {
      const group = shareGroupOf(clientIdPrefix, route);
      return group === undefined ? route.filter : `$share/${group}/${route.filter}`;
    }),
    ...commands,
  ]);
  return [
    { actions: ['iot:Connect'], resources: clientIds.map((id) => `client/${id}`) },
    { actions: ['iot:Subscribe'], resources: subscribed.map((filter) => `topicfilter/${filter}`) },
    { actions: ['iot:Receive'], resources: heard.map((pattern) => `topic/${pattern}`) },
    {
      actions: ['iot:Publish', 'iot:RetainPublish'],
      // Of the status, the broker asks for the last will, too ("Connect policy examples").
      resources: unique([...commands, ...statusTopics(broker.status?.topic, clientIds)]).map(
        (pattern) => `topic/${pattern}`,
      ),
    },
  ];
}

/** That of the api function where the config names none: `causeway/replies/{commandId}`. */
const defaultReplies = 'causeway/replies/*';

/** The policy's `*` for the wildcards of a filter: "AWS IoT Core policies", "Publish/Subscribe policy examples". */
function patternOf(filter: string): string {
  return filter.replaceAll(/[+#]/g, '*');
}

function statusTopics(template: string | undefined, clientIds: readonly string[]): string[] {
  return clientIds.flatMap((id) => template?.replaceAll('{clientId}', id) ?? []);
}

function patternOfTemplate(template: string): string {
  return template.replaceAll(/\{\w+\}/g, '*');
}

/** What `*` covers already is left out. */
function unique(patterns: readonly string[]): string[] {
  return patterns.includes('*') ? ['*'] : [...new Set(patterns)];
}
