// The topics of China Mobile's OneNET: what stands where in `$sys/{pid}/{device}/…`, built from parts and taken apart.
// Sources: OneNET documentation, "数据点 topic 簇", "设备命令 topic 簇" (MQTTS suite) and "通信主题" (things model).

/** What follows the device, by kind. A reply has the words of the documentation, which are not of one mould. */
const paths = {
  dataPoints: 'dp/post/json',
  dataPointsAccepted: 'dp/post/json/accepted',
  dataPointsRejected: 'dp/post/json/rejected',
  commandRequest: 'cmd/request/{commandId}',
  commandResponse: 'cmd/response/{commandId}',
  commandResponseAccepted: 'cmd/response/{commandId}/accepted',
  commandResponseRejected: 'cmd/response/{commandId}/rejected',
  propertyPost: 'thing/property/post',
  propertyPostReply: 'thing/property/post/reply',
  propertySet: 'thing/property/set',
  propertySetReply: 'thing/property/set_reply',
  propertyGet: 'thing/property/get',
  propertyGetReply: 'thing/property/get_reply',
  eventPost: 'thing/event/post',
  eventPostReply: 'thing/event/post/reply',
  serviceInvoke: 'thing/service/{service}/invoke',
  serviceInvokeReply: 'thing/service/{service}/invoke_reply',
  /** Ours, for what the platform pushes by HTTP and no device publishes: on, off, results. */
  pushed: 'push/{type}',
} as const;

export type OneNetTopicKind = keyof typeof paths;

export interface OneNetTopicParts {
  readonly productId: string;
  /** Name of the device; on the older platform its id. */
  readonly device: string;
  readonly commandId?: string;
  /** Identifier of a service of the things model. */
  readonly service?: string;
  /** Kind of a push. */
  readonly type?: string;
}

export interface OneNetTopic extends OneNetTopicParts {
  readonly kind: OneNetTopicKind;
}

/**
 * What may stand between two slashes: the platform takes letters, digits, `-` and `_` in topics and ends the connection
 * on others; names of devices may have a dot.
 */
const partForm = /^[A-Za-z0-9_.-]{1,64}$/;

/** First level of all of them: a broker's own, so they are not matched by `#`. */
const oneNetPrefix = '$sys/';

const kinds = Object.entries(paths).map(([kind, path]) => ({
  kind: kind as OneNetTopicKind,
  levels: path.split('/'),
}));

/** The topic of a kind; undefined where a part is missing, or could not stand in a topic. */
export function oneNetTopic(kind: OneNetTopicKind, parts: OneNetTopicParts): string | undefined {
  const levels = ['{productId}', '{device}', ...paths[kind].split('/')].map((level) => {
    const name = placeholder(level);
    if (name === undefined) return level;
    const part = parts[name];
    return part !== undefined && partForm.test(part) ? part : undefined;
  });
  return levels.includes(undefined) ? undefined : `${oneNetPrefix}${levels.join('/')}`;
}

/** What a topic is; undefined where it is none of OneNET's. */
export function parseOneNetTopic(topic: string): OneNetTopic | undefined {
  if (!topic.startsWith(oneNetPrefix)) return undefined;
  const [productId = '', device = '', ...rest] = topic.slice(oneNetPrefix.length).split('/');
  if (!partForm.test(productId) || !partForm.test(device)) return undefined;
  for (const { kind, levels } of kinds) {
    const found = levels.length === rest.length ? match(levels, rest) : undefined;
    if (found !== undefined) return { kind, productId, device, ...found };
  }
  return undefined;
}

/** The topic of a kind with its placeholders left in, product and device too: for a rule or for documentation. */
export function oneNetTemplate(kind: OneNetTopicKind): string {
  return `${oneNetPrefix}{productId}/{device}/${paths[kind]}`;
}

type Placeholder = keyof OneNetTopicParts;

function placeholder(level: string): Placeholder | undefined {
  return level.startsWith('{') ? (level.slice(1, -1) as Placeholder) : undefined;
}

function match(wanted: readonly string[], levels: readonly string[]): object | undefined {
  const parts: Partial<Record<Placeholder, string>> = {};
  for (const [index, level] of levels.entries()) {
    const name = placeholder(wanted[index] ?? '');
    if (name === undefined ? level !== wanted[index] : !partForm.test(level)) return undefined;
    if (name !== undefined) parts[name] = level;
  }
  return parts;
}
