// Reads which replies are awaited: what a bridge that starts or takes over has to listen for.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { type AwaitedReply, awaitedReplyOf } from '../../functions/table/awaited-reply.ts';
import type { ItemSource } from '../../functions/table/partition.ts';

/** Maximum that is read of one partition; as the newest come first, what is left out would be the first to go. */
const maxItems = 10_000;
const pageItems = 500;

/** The awaited replies of a partition; of each caller the newest, at most `maxEach`. */
export async function awaitedIn(
  { client, tableName }: ItemSource,
  partition: string,
  maxEach: number,
): Promise<AwaitedReply[]> {
  const found: AwaitedReply[] = [];
  // Behind every caller, who is named by hexadecimal digits.
  let below = 'g';
  let caller: string | undefined;
  let ofCaller = 0;
  while (found.length < maxItems) {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk AND sk < :below',
        ExpressionAttributeValues: { ':pk': { S: partition }, ':below': { S: below } },
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: pageItems,
      }),
    );
    if (Items.length === 0) return found;
    for (const item of Items) {
      const awaited = awaitedReplyOf(item);
      ofCaller = awaited.caller === caller ? ofCaller + 1 : 1;
      caller = awaited.caller;
      below = item['sk']?.S ?? '';
      if (ofCaller <= maxEach) found.push(awaited);
      else {
        // All that is left of this caller.
        below = `${caller}#`;
        break;
      }
    }
  }
  return found;
}
