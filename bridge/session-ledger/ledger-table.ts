// The session ledger in the DynamoDB table of the leases, shared by the bridges of one config.
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { conditionHeld } from '../../functions/table/conditional-write.ts';
import { readPartition } from '../../functions/table/partition.ts';
import { parseDeployment, parseEntry, type SessionEntry } from './entry.ts';
import type { LedgerStore } from './ledger-store.ts';

/** 100 routes of 64 connections, each of a few hundred bytes: a query reads 1 MB. */
const maxQueries = 100;

/** Sort key of the deployment, which sorts before those of the entries. */
const deploymentKey = 'deployment';
const entryPrefix = 'session/';

export function tableLedger(
  tableName: string,
  client: DynamoDBClient,
  clientIdPrefix: string,
): LedgerStore {
  /** A partition for each prefix: that of another deployment may begin with this one. */
  const pk = { S: `session-ledger/${clientIdPrefix}` };
  const keyOf = (clientId: string) => ({ pk, sk: { S: `${entryPrefix}${clientId}` } });

  async function readText(sk: string): Promise<string> {
    const { Item } = await client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: { pk, sk: { S: sk } },
        ConsistentRead: true,
      }),
    );
    return Item?.['entry']?.S ?? '';
  }

  const readDeployment = async () => parseDeployment(await readText(deploymentKey));

  return {
    isShared: true,
    async list() {
      const entries: SessionEntry[] = [];
      const steps = readPartition(
        { client, tableName },
        pk.S,
        // U+FFFF sorts after all that client ids have, and is legal in no MQTT string [MQTT-1.5.4].
        { low: entryPrefix, high: `${entryPrefix}\uffff`, newestFirst: false },
        { maxQueries, consistent: true },
      );
      for await (const { item } of steps) {
        const entry = parseEntry(item?.['entry']?.S ?? '');
        if (entry !== undefined) entries.push(entry);
      }
      return entries;
    },
    read: async (clientId) => parseEntry(await readText(`${entryPrefix}${clientId}`)),
    async put(entry) {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: { ...keyOf(entry.clientId), entry: { S: JSON.stringify(entry) } },
        }),
      );
    },
    async remove(clientId) {
      await client.send(new DeleteItemCommand({ TableName: tableName, Key: keyOf(clientId) }));
    },
    readDeployment,
    async replaceDeployment(deployment, version) {
      const next = String(deployment.version);
      const isReplaced = await conditionHeld(
        client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: {
              pk,
              sk: { S: deploymentKey },
              version: { N: next },
              entry: { S: JSON.stringify(deployment) },
            },
            ...(version === undefined
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression: 'version = :version',
                  ExpressionAttributeValues: { ':version': { N: String(version) } },
                }),
          }),
        ),
      );
      if (isReplaced) return true;
      // The SDK repeats a call whose answer was lost: what is in the way may be this very one.
      const stored = await readDeployment();
      return JSON.stringify(stored) === JSON.stringify(deployment);
    },
  };
}
