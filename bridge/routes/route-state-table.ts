// States of routes in a DynamoDB table, shared by the bridges of one config.
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { markChange } from '../../functions/table/change-marker.ts';
import { conditionHeld } from '../../functions/table/conditional-write.ts';
import { readPartition } from '../../functions/table/partition.ts';
import { parseRouteState, type RouteState } from './route-state.ts';
import type { RouteStateStore } from './route-states.ts';

/** Partition of all states; the sort key is `<client id prefix>-<route>`, as in client ids. */
const statePartition = 'route-state';

/** A config has 100 routes of a few hundred bytes; the client id prefix keeps those of another config apart. */
const maxQueries = 5;

export function tableRouteStates(
  tableName: string,
  client: DynamoDBClient,
  clientIdPrefix: string,
): RouteStateStore {
  const prefix = `${clientIdPrefix}-`;
  return {
    isShared: true,
    async read() {
      const states = new Map<string, RouteState | undefined>();
      // Names of routes and prefixes are letters, digits, - and _: all of them sort before ~.
      const steps = readPartition(
        { client, tableName },
        statePartition,
        { low: prefix, high: `${prefix}~`, newestFirst: false },
        { maxQueries, consistent: true },
      );
      for await (const { key, item } of steps)
        if (item !== undefined)
          states.set(key.slice(prefix.length), parseRouteState(item['state']?.S ?? ''));
      return states;
    },
    async replace(route, state) {
      const Item = {
        pk: { S: statePartition },
        sk: { S: `${prefix}${route}` },
        version: { N: String(state.version) },
        state: { S: JSON.stringify(state) },
      };
      // Others look for it from then on: see ChangeWatch.
      await markChange({ client, tableName });
      return conditionHeld(
        client.send(
          new PutItemCommand({
            TableName: tableName,
            Item,
            // An item that somebody deleted is a route that was never changed.
            ConditionExpression: 'attribute_not_exists(pk) OR version < :version',
            ExpressionAttributeValues: { ':version': Item.version },
          }),
        ),
      );
    },
  };
}
