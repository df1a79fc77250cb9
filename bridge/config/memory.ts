// The setting `memoryMiB`, and how many bytes of messages fit into it: what each route has for itself, and the rest.
import * as z from 'zod';
import type { FieldFault } from '../../functions/contract/problem.ts';
import { expressionLimits } from '../../functions/expression/limits.ts';

const bytesPerMiB = 1024 * 1024;
const threadBytes = expressionLimits.threadMiB * bytesPerMiB;

export const memoryMiB = z
  .int()
  .min(256)
  .max(65_536)
  .default(512)
  .describe(
    'Memory of the process in MiB. What is let in fits into it; each route keeps 2 × `maxBatchBytes` × (`connections` + 2) of it for itself',
  );

/** What the process takes without any message; measured, see test/bench. */
const idleMiB = 150;

/**
 * A byte of a message takes as many of memory: itself, and what is not collected yet of its way here, into a request
 * and through the socket. Measured, see test/faults/memory.test.ts.
 */
const memoryPerByte = 2;

/** What a route needs of memory; of several connections each reads a message by itself. */
interface RouteSize {
  readonly maxBatchBytes: number;
  readonly connections: number;
  readonly where?: string | undefined;
  readonly transform?: string | undefined;
}

/** Whether a route has a thread that evaluates its expressions. */
export function hasExpressions({ where, transform }: Pick<RouteSize, 'where' | 'transform'>) {
  return where !== undefined || transform !== undefined;
}

/** What a route is sure of, in bytes. No message that it can send is larger than a request. */
export interface RouteFloors {
  /**
   * A message that is being read, on each connection: nobody can say before it is there, so it is always set aside. So
   * is what the thread of its expressions can take, with one request of their results.
   */
  readonly reading: number;
  /** Deliveries that are not settled: one message. */
  readonly window: number;
  /** Bodies of requests in flight, and dead letters being written: one request. */
  readonly sending: number;
}

/** Bytes before the payload of a PUBLISH that are reckoned with: a topic, and properties of some size. */
const packetHeadBytes = 256 * 1024;

/** The largest PUBLISH that a route can send: what is larger is not held, and becomes a dead letter as it comes. */
export function largestPacketBytes({ maxBatchBytes }: Pick<RouteSize, 'maxBatchBytes'>): number {
  return maxBatchBytes + packetHeadBytes;
}

export function floorsOf({ maxBatchBytes, connections, ...expressions }: RouteSize): RouteFloors {
  const thread = hasExpressions(expressions) ? threadBytes / memoryPerByte + maxBatchBytes : 0;
  return {
    reading: connections * maxBatchBytes + thread,
    window: maxBatchBytes,
    sending: maxBatchBytes,
  };
}

/** Bytes of messages that the process may hold. */
export function budgetBytes(memoryMiB: number): number {
  return Math.floor(((memoryMiB - idleMiB) * bytesPerMiB) / memoryPerByte);
}

/** The rule that `memoryMiB` breaks with these routes, if any. `field` is where it is set. */
export function memoryFaults(
  memoryMiB: number,
  routes: readonly RouteSize[],
  field: string,
): FieldFault[] {
  const floors = routes.map(floorsOf);
  const bytes = floors.reduce((sum, of) => sum + of.reading + of.window + of.sending, 0);
  const neededMiB = Math.ceil(idleMiB + (bytes * memoryPerByte) / bytesPerMiB);
  if (neededMiB <= memoryMiB) return [];
  return [
    {
      field,
      rule: `must be at least ${neededMiB} for these routes: ${idleMiB} for the bridge itself, and for each route ${memoryPerByte} × maxBatchBytes × (connections + 2), with where or transform ${expressionLimits.threadMiB} and ${memoryPerByte} × maxBatchBytes more, so that none can stop another; or have fewer routes, a smaller maxBatchBytes or fewer connections`,
    },
  ];
}
