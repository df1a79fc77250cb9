// The database endpoint of the benchmark, in a process of its own: takes every write at once, and can count them.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { itemBytes } from '../../functions/contract/chunks.ts';
import type { Item } from '../../functions/contract/item.ts';

/** What DynamoDB would bill: a write unit is 1 KB of an item, rounded up for each item. */
export interface Billed {
  calls: number;
  items: number;
  writeUnits: number;
}

type SentItem = Record<string, AttributeValue & { B?: string }>;

/** A BatchWriteItem, or an UpdateItem of the topic registry. */
type Call =
  | { readonly RequestItems: Record<string, { PutRequest: { Item: SentItem } }[]> }
  | { readonly Key: SentItem; readonly ExpressionAttributeValues: SentItem };

// Reading the calls takes time that the measured process would have to wait for: so only when asked to count.
const counts = process.argv.includes('--count');
const billed: Billed = { calls: 0, items: 0, writeUnits: 0 };

function count(body: string): void {
  billed.calls++;
  for (const item of itemsOf(JSON.parse(body))) {
    billed.items++;
    billed.writeUnits += Math.ceil(itemBytes(decoded(item)) / 1024);
  }
}

/** The items as they are after the call, about. */
function itemsOf(call: Call): SentItem[] {
  if ('Key' in call) return [{ ...call.Key, ...call.ExpressionAttributeValues }];
  return Object.values(call.RequestItems)
    .flat()
    .map(({ PutRequest }) => PutRequest.Item);
}

/** Binary attributes travel as base64 and are billed as bytes. */
function decoded(item: SentItem): Item {
  const entries = Object.entries(item).map(([name, value]): [string, AttributeValue] =>
    value.B === undefined ? [name, value] : [name, { B: Buffer.from(value.B, 'base64') }],
  );
  return Object.fromEntries(entries);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    if (counts) chunks.push(chunk);
  });
  request.on('end', () => {
    if (counts) count(Buffer.concat(chunks).toString());
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end('{}');
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => process.send?.(billed));
process.on('disconnect', () => process.exit(0));
