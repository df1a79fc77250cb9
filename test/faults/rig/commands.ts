// Commands under faults: recorded as the api does, received by a device, and judged by the ledger beside both.
import mqtt from 'mqtt';
import type { BridgeConfigInput } from '../../../bridge/config/config.ts';
import type { QueuedCommand } from '../../../functions/table/queued-command.ts';
import { command, inLedger, queueLength, record } from '../../support/queue.ts';
import { until } from '../../support/wait.ts';
import { seed } from './random.ts';
import { type Rig, type RigOptions, startRig } from './rig.ts';

export interface CommandRig extends Rig {
  readonly recorded: readonly QueuedCommand[];
  /** How often each number has arrived, in the order of the first times. */
  readonly received: ReadonlyMap<number, number>;
  /** Parts of the bridge's config that send commands. */
  readonly config: Partial<BridgeConfigInput>;
  /** Records so many commands over some topics, a few at a time. */
  recordCommands(count: number, parts?: Parameters<typeof command>[0]): Promise<void>;
  /** Numbers that the ledger says are sent and that never arrived; looked up while the row runs. */
  falselySent(): Promise<number[]>;
  /** Waits until the queue is empty, prints the row's line, and judges. */
  commandVerdict(note?: string): Promise<string[]>;
}

const topics = 20;
const textOf = (number: number) => `#${number}#`;

export async function startCommandRig(options: RigOptions): Promise<CommandRig> {
  const rig = await startRig({ ...options, route: { filter: 'nothing/here', ...options.route } });
  const recorded: QueuedCommand[] = [];
  const received = new Map<number, number>();
  // Past the proxy: only the bridge is to suffer.
  const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${rig.broker.port}`, {
    clientId: 'device',
    clean: false,
    protocolVersion: 4,
  });
  device.on('message', (_, payload) => {
    const number = Number(/^#(\d+)#$/.exec(payload.toString())?.[1]);
    received.set(number, (received.get(number) ?? 0) + 1);
  });
  await device.subscribeAsync('devices/#', { qos: 1 });

  async function statusesOf(commands: readonly QueuedCommand[]): Promise<string[]> {
    const statuses: string[] = [];
    for (let from = 0; from < commands.length; from += 50) {
      const some = commands.slice(from, from + 50);
      statuses.push(
        ...(await Promise.all(some.map(async ({ id }) => (await inLedger(rig.table, id)).status))),
      );
    }
    return statuses;
  }

  async function falselySent(): Promise<number[]> {
    const commands = recorded.slice();
    const statuses = await statusesOf(commands);
    // The broker acknowledges, and delivers a moment later.
    const suspects = commands.flatMap((_, number) =>
      statuses[number] === 'sent' && !received.has(number) ? [number] : [],
    );
    await until(() => suspects.every((number) => received.has(number)), {
      timeoutMs: 2000,
    }).catch(() => {});
    return suspects.filter((number) => !received.has(number));
  }

  return {
    ...rig,
    falselySent,
    recorded,
    received,
    config: { commandTable: rig.tableName, commands: { pollSeconds: 1 } },
    async recordCommands(count, parts = {}) {
      for (let done = 0; done < count; ) {
        const group = Array.from({ length: Math.min(20, count - done) }, (_, index) =>
          command({
            topic: `devices/${(recorded.length + index) % topics}`,
            payload: textOf(recorded.length + index),
            expiresInMs: 3_600_000,
            ...parts,
          }),
        );
        recorded.push(...group);
        done += group.length;
        await Promise.all(group.map((each) => record(rig.table, each)));
      }
    },
    async commandVerdict(note) {
      for (let left = await queueLength(rig.table); left > 0; ) {
        const before = left;
        const isShorter = async () => {
          left = await queueLength(rig.table);
          return left < before;
        };
        // As long as it gets shorter, it is only slow.
        if (!(await until(isShorter, { timeoutMs: 40_000 }).catch(() => false))) break;
      }
      const early = await falselySent();
      const statuses = await statusesOf(recorded);
      await device.endAsync(true);
      const faults = [
        ...fault(
          'recorded and never received',
          numbersWhere((number) => !received.has(number)),
        ),
        ...fault('falsely sent', early),
        ...fault(
          'not sent by the ledger',
          numbersWhere((number) => statuses[number] !== 'sent'),
        ),
        ...fault('out of order', outOfOrder([...received.keys()])),
        ...fault('still in the queue', Array(await queueLength(rig.table)).fill(0)),
      ];
      const copies = [...received.values()].reduce((sum, count) => sum + count, 0);
      const line = `recorded ${recorded.length}, received ${received.size}, repeated ${copies - received.size}`;
      console.log(
        [`${options.row}: ${line}, seed ${seed}`, ...(note ? [note] : []), ...faults].join('; '),
      );
      return faults;
    },
  };

  function numbersWhere(isAtFault: (number: number) => boolean): number[] {
    return recorded.flatMap((_, number) => (isAtFault(number) ? [number] : []));
  }
}

/** Numbers that first came after a greater one of their topic. */
function outOfOrder(numbers: readonly number[]): number[] {
  const greatest = new Map<number, number>();
  return numbers.filter((number) => {
    const last = greatest.get(number % topics) ?? -1;
    greatest.set(number % topics, Math.max(last, number));
    return number < last;
  });
}

function fault(what: string, numbers: readonly number[]): string[] {
  if (numbers.length === 0) return [];
  return [`${numbers.length} ${what}: ${numbers.slice(0, 10).join(', ')}`];
}
