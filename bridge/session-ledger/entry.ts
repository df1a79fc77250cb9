// An entry of the session ledger: one session that this deployment has made at the broker, and what was asked for in it.
import * as z from 'zod';

const subscriptionSchema = z.object({
  /** Topic filter, without `$share/…`. */
  filter: z.string(),
  /** Share group, where the subscription is a shared one. */
  group: z.string().optional(),
  qos: z.literal([0, 1]),
  /** `asked` before SUBSCRIBE, `granted` after SUBACK. */
  state: z.enum(['asked', 'granted']),
});

const entrySchema = z.object({
  clientId: z.string(),
  /** Name of the lease that the user of the client id holds. */
  lease: z.string(),
  /** Route that made it. */
  route: z.string(),
  /** Stands for filter and handler of that route: a renamed route has the same. */
  target: z.string(),
  /** Host of the broker: another one knows nothing of the session. */
  brokerHost: z.string(),
  subscriptions: z.array(subscriptionSchema),
  /** Topic filters that it had earlier, the last one first: their messages may still be queued. */
  formerFilters: z.array(z.string()),
  /** The bridge that drains it is connected, and unsubscribes once its successor has subscribed. */
  isHandingOver: z.boolean().optional(),
  /** What of a removed route has become dead letters. */
  drained: z.object({ messages: z.int().min(0), bytes: z.int().min(0) }).optional(),
});

/** A subscription as SUBSCRIBE asks for it. */
export type Subscription = Omit<z.output<typeof subscriptionSchema>, 'state'>;
export type LedgerSubscription = z.output<typeof subscriptionSchema>;
export type SessionEntry = z.output<typeof entrySchema>;

const deploymentSchema = z.object({
  /** Grows by one with each other config that a bridge starts with. */
  version: z.int().min(1),
  /** By the names of the routes, what of their config matters to sessions, hashed. */
  routes: z.record(z.string(), z.string()),
  /** Client ids that a bridge without a ledger may have left have been looked for. */
  isProbed: z.boolean().optional(),
});

/** The config that the ledger's deployment runs with. */
export type Deployment = z.output<typeof deploymentSchema>;

/** What was stored as JSON; undefined where it makes no sense. */
export function parseEntry(text: string): SessionEntry | undefined {
  return parsed(entrySchema, text);
}

/** As {@link parseEntry}. */
export function parseDeployment(text: string): Deployment | undefined {
  return parsed(deploymentSchema, text);
}

function parsed<S extends z.ZodType>(schema: S, text: string): z.output<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What stands in SUBSCRIBE and UNSUBSCRIBE. */
export function filterText({ filter, group }: Pick<Subscription, 'filter' | 'group'>): string {
  return group === undefined ? filter : `$share/${group}/${filter}`;
}

/** Former filters of one entry, in bytes: an item of DynamoDB has 400 KB, and one filter up to 64 KB. */
const maxFormerBytes = 128 * 1024;

/** With these filters before the former ones. The oldest go where there are too many. */
export function formerFiltersWith(former: readonly string[], added: readonly string[]): string[] {
  const filters = [...new Set([...added, ...former])];
  let bytes = 0;
  return filters.filter((filter) => {
    bytes += Buffer.byteLength(filter);
    return bytes <= maxFormerBytes;
  });
}
