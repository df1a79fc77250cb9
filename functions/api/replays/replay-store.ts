// Replays as the api sees them: recorded, listed and cancelled here, run by the bridge.
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { v7 as uuidv7 } from 'uuid';
import { type Problem, problem } from '../../contract/problem.ts';
import { timeText } from '../../contract/time.ts';
import { createMarkChanges } from '../../table/change-marker.ts';
import { itemBytes } from '../../table/chunks.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import { readPartition, unexpired } from '../../table/partition.ts';
import {
  activeReplays,
  noProgress,
  type Replay,
  type ReplayRequest,
  replayItem,
  replayKey,
  replayOf,
  replaysPartition,
  stillActive,
} from '../../table/replay.ts';
import type { WakeReplays } from '../bridge-client/bridge-client.ts';
import { collectPage, maxQueriesPerPage, type Page } from '../interface/page.ts';

export type StartedReplay =
  | { readonly ok: true; readonly replay: Replay }
  | { readonly ok: false; readonly problem: Problem };

export interface Replays {
  /** Records a replay and wakes the bridge; a problem where the bridge says that it has no such route. */
  start(request: ReplayRequest): Promise<StartedReplay>;
  /** Newest first. */
  list(limit: number, after?: string): Promise<Page<Replay>>;
  find(id: string): Promise<Replay | undefined>;
  /** Ends a replay that has not ended; resolves with it as it is then, or undefined where there is none. */
  cancel(id: string): Promise<Replay | undefined>;
}

export interface ReplaysOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly wake: WakeReplays;
  readonly now?: () => number;
}

/** Maximum replays that wait or run: they run one after the other. */
const maxActive = 20;

export function createReplays({
  client,
  tableName,
  wake,
  now = Date.now,
}: ReplaysOptions): Replays {
  const source = { client, tableName };
  const markChanges = createMarkChanges(source, now);

  async function countActive(): Promise<number> {
    const { Count = 0 } = await client.send(
      new QueryCommand({
        TableName: tableName,
        ...activeReplays,
        Select: 'COUNT',
        // Those that have not ended are among the newest, and one query reads 1 MB.
        ScanIndexForward: false,
      }),
    );
    return Count;
  }

  async function find(id: string): Promise<Replay | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: replayKey(id), ConsistentRead: true }),
    );
    return Item && replayOf(Item);
  }

  return {
    async start(request) {
      if ((await countActive()) >= maxActive)
        return {
          ok: false,
          problem: problem('rate-limited', `${maxActive} replays wait or run already`),
        };
      const { route } = request;
      // A bridge that is away says nothing: then the replay finds out when it runs.
      if (route !== undefined && (await wake(route)) === 'route-unknown')
        return { ok: false, problem: problem('route-unknown', `route ${route}`) };
      const createdMs = now();
      const replay: Replay = {
        id: uuidv7(),
        status: 'pending',
        createdAt: new Date(createdMs).toISOString(),
        request: { ...request, to: earlier(request.to, timeText(createdMs)) },
        progress: noProgress,
      };
      await markChanges();
      await client.send(new PutItemCommand({ TableName: tableName, Item: replayItem(replay) }));
      await wake();
      return { ok: true, replay };
    },
    list(limit, after) {
      const range = { low: '0', high: 'z', newestFirst: true, after };
      const steps = readPartition(source, replaysPartition, range, {
        maxQueries: maxQueriesPerPage,
        firstItems: limit + 1,
        filter: unexpired(now()),
      });
      return collectPage(steps, {
        limit,
        pick: replayOf,
        bytesOf: itemBytes,
      });
    },
    find,
    async cancel(id) {
      const isCancelled = await conditionHeld(
        client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: replayKey(id),
            UpdateExpression: 'SET #status = :cancelled',
            ConditionExpression: stillActive.expression,
            ExpressionAttributeNames: stillActive.names,
            ExpressionAttributeValues: { ...stillActive.values, ':cancelled': { S: 'cancelled' } },
          }),
        ),
      );
      if (isCancelled) await wake();
      // Else it has ended, or there is none: what is found says which.
      return find(id);
    },
  };
}

/** What comes later than the request goes to the handlers anyway, and a busy topic would never come to its end. */
function earlier(to: string | undefined, asked: string): string {
  return to === undefined || to > asked ? asked : to;
}
