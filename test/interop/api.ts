// The api as its callers have it, over the suite's table.
import { anyBroker } from '../../functions/contract/broker-rules.ts';
import { causewayConfigSchema } from '../../infra/config/config.ts';
import { localApi } from '../../infra/local/functions.ts';
import type { TestTable } from '../support/table.ts';

export const bridgeToken = 'token-of-the-bridge';
const apiToken = 'token-of-the-caller';

/** A message as `POST /v1/messages/query` has it. */
export interface StoredMessage {
  readonly topic: string;
  readonly source: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly payload?: unknown;
  readonly payloadBase64?: string;
}

/** A command as the api answers it. */
export interface CommandAnswer {
  readonly status: string;
  readonly reply?: { readonly payload?: unknown };
}

/** Posts a body; rejects with the problem that the api answers. */
export type Api = (path: string, body: object) => Promise<unknown>;

/** `bridgeUrl` is needed for commands alone. */
export function apiOf({ client, tableName }: TestTable, bridgeUrl = 'http://127.0.0.1:1'): Api {
  const api = localApi({
    client,
    tableName,
    writeShards: 1,
    onError: console.error,
    bridge: { url: bridgeUrl, token: bridgeToken },
    token: apiToken,
    brokerRules: anyBroker,
    api: causewayConfigSchema.shape.api.parse({ callerRequestsPerSecond: 1000 }),
  });
  return async (path, body) => {
    const request = new Request(`http://api${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const response = await api.fetch(request);
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  };
}

/** All stored messages of a topic, the oldest first. */
export async function messagesOf(api: Api, topic: string): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  let cursor: string | undefined;
  do {
    const page = (await api('/v1/messages/query', {
      topic,
      order: 'oldest',
      limit: 1000,
      ...(cursor !== undefined && { cursor }),
    })) as { messages: StoredMessage[]; nextCursor?: string };
    all.push(...page.messages);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}
