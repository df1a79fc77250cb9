// The api with commands, a table and a stand-in for the bridge, for tests of what concerns commands.

import { knownScopes, principalOf } from '../../functions/api/access/scopes.ts';
import { createApi } from '../../functions/api/api.ts';
import { commandEndpoints } from '../../functions/api/commands/endpoints.ts';
import { createCommands } from '../../functions/api/commands/service.ts';
import { createCursors } from '../../functions/api/interface/cursor.ts';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import { type CommandBridge, createCommandBridge } from './command-bridge.ts';
import type { TestTable } from './table.ts';

export interface CommandAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at any part of an answer
  readonly body: any;
}

export interface CommandApi {
  readonly bridge: CommandBridge;
  /** What the clock of the api is ahead of the real one, in milliseconds. */
  aheadMs: number;
  /** `body` is sent as it is where it is text, else as JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<CommandAnswer>;
  get(path: string, headers?: Record<string, string>): Promise<CommandAnswer>;
}

/** The headers of a caller with these scopes, such as `publish:a/#`; another set of scopes is another caller. */
export function caller(...scopes: readonly string[]): Record<string, string> {
  const token = Buffer.from(JSON.stringify(scopes)).toString('base64url');
  return { authorization: `Bearer ${token}` };
}

export function createCommandApi(
  table: TestTable,
  options: {
    readonly client?: TestTable['client'];
    readonly replyTopic?: string;
    readonly brokerRules?: BrokerRules;
  } = {},
): CommandApi {
  const bridge = createCommandBridge(table);
  const { client = table.client, ...rest } = options;
  const api: CommandApi = {
    bridge,
    aheadMs: 0,
    post: (path, body, headers) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: (path, headers = {}) => send(path, { headers }),
  };
  const commands = createCommands({
    client,
    tableName: table.tableName,
    deliver: (request, signal) => bridge.deliver(request, signal),
    now: () => Date.now() + api.aheadMs,
    ...rest,
  });
  const app = createApi({
    endpoints: commandEndpoints(commands, createCursors('a-secret-for-the-tests')),
    authenticate: async (token) =>
      principalOf(token, knownScopes(JSON.parse(Buffer.from(token, 'base64url').toString()))),
    rateLimit: { requestsPerSecond: 1e6, failuresPerSecond: 1e6 },
  });

  async function send(path: string, init: RequestInit): Promise<CommandAnswer> {
    const headers = { ...caller('admin'), ...(init.headers as Record<string, string>) };
    const response = await app.request(path, { ...init, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  }
  return api;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
