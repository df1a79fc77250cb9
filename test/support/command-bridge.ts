// A stand-in for the bridge in tests of the api: takes commands from the queue as the bridge does, with its own
// ledger, and says of each what the test decides.
import { createLedger } from '../../bridge/commands/ledger.ts';
import type { Deliver } from '../../functions/api/bridge-client/bridge-client.ts';
import type { DeliverRequest, Outcome, Reply } from '../../functions/contract/command.ts';
import { type QueuedCommand, queueShards } from '../../functions/table/queued-command.ts';
import type { TestTable } from './table.ts';

export type Fate =
  | { readonly kind: 'sent'; readonly hadSubscribers?: boolean }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'answered'; readonly reply: Omit<Reply, 'topic' | 'receivedAt'> }
  | { readonly kind: 'left' };

export interface CommandBridge {
  deliver: Deliver;
  /** All that it has published, in order. */
  readonly published: QueuedCommand[];
  /** The requests that it got. */
  readonly requests: DeliverRequest[];
  /** It cannot be reached; what is in the queue stays there. */
  away: boolean;
  /** What becomes of each command; default sent. */
  fate: (command: QueuedCommand) => Fate;
  /** Takes what is in the queue. */
  drain(): Promise<void>;
}

export function createCommandBridge({ client, tableName }: TestTable): CommandBridge {
  const ledger = createLedger(client, tableName);

  async function settle(command: QueuedCommand): Promise<boolean> {
    const fate = bridge.fate(command);
    if (fate.kind === 'left') return false;
    const at = new Date().toISOString();
    bridge.published.push(command);
    if (fate.kind === 'refused') {
      await ledger.markFailed(command.id, { code: 'broker-refused', detail: fate.detail }, at);
      return true;
    }
    await ledger.markSent(command.id, at, fate.kind === 'sent' ? fate.hadSubscribers : undefined);
    if (fate.kind === 'answered') {
      const topic = command.properties.responseTopic ?? '';
      await ledger.markAnswered(command.id, { ...fate.reply, topic, receivedAt: at });
    }
    return true;
  }

  async function takeAll(): Promise<void> {
    for (let shard = 0; shard < queueShards; shard++) {
      let after: Parameters<typeof ledger.queued>[1];
      do {
        const page = await ledger.queued(shard, after);
        for (const entry of page.entries) {
          const command = await ledger.read(entry);
          if (command !== undefined && (await settle(command))) await ledger.remove(entry.keys);
        }
        after = page.next;
      } while (after !== undefined);
    }
  }

  // One after the other, as the one worker of a shard does.
  let draining = Promise.resolve();
  const drain = () => {
    draining = draining.then(takeAll);
    return draining;
  };
  const bridge: CommandBridge = {
    published: [],
    requests: [],
    away: false,
    fate: () => ({ kind: 'sent' }),
    drain,
    async deliver(request) {
      bridge.requests.push(request);
      if (bridge.away) return undefined;
      await drain();
      const entries = await ledger.get(request.commands.map(({ id }) => id));
      const byId = new Map(entries.map((entry) => [entry.id, entry]));
      return request.commands.map(({ id }): Outcome => {
        const { status = 'pending', sentAt, hadSubscribers, reply, error } = byId.get(id) ?? {};
        return JSON.parse(JSON.stringify({ id, status, sentAt, hadSubscribers, reply, error }));
      });
    },
  };
  return bridge;
}
