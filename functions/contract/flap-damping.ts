// Flap damping: a penalty for each change that decays by half in a fixed time, as RFC 2439 damps routes
// that flap. A client that comes and goes too often is held back from the feed. Pure.

export interface FlapDamping {
  /** Changes, weighed by how long ago they were. */
  readonly penalty: number;
  /** Changes, until they are so long ago that they no longer count. */
  readonly flaps: number;
  readonly flapping: boolean;
  /** When this was so: RFC 3339. */
  readonly at: string;
}

// A reconnect is two changes, the end and the begin, also where the broker tells only one of them. With these
// figures a device may restart five times in a row; one that does so six times within a minute, or for long more often
// than about every 95 seconds, is flapping, and calm 20 minutes after its last change at the latest.

/** Time in which a penalty decays by half, in ms. */
const halfLifeMs = 5 * 60_000;
/** A client whose penalty is above it is flapping. */
const cutoffThreshold = 10;
/** Below it a client is calm again; so much lower that it does not go to and fro. */
const reuseThreshold = 2;
/** Below it nothing is held against a client: five minutes after a single change, half an hour after many. */
const forgottenBelow = 0.5;
/** Four half-lives above the one to be calm: a client is never held for longer ("maximum hold time"). */
const maxPenalty = reuseThreshold * 2 ** 4;

/** Of a client without a change. */
export function calm(at: string): FlapDamping {
  return { penalty: 0, flaps: 0, flapping: false, at };
}

/** What is left of it at a time; all of it at an earlier one, as events may come late. */
export function dampingAt(last: FlapDamping, at: string): FlapDamping {
  if (at <= last.at) return last;
  const passedMs = Date.parse(at) - Date.parse(last.at);
  const penalty = last.penalty * 2 ** (-passedMs / halfLifeMs);
  if (penalty < forgottenBelow) return calm(at);
  return { ...last, penalty, flapping: last.flapping && penalty >= reuseThreshold, at };
}

/** Some changes more than what is left. */
export function withChanges(left: FlapDamping, changes: number): FlapDamping {
  const penalty = Math.min(maxPenalty, left.penalty + changes);
  return {
    ...left,
    penalty,
    flaps: left.flaps + changes,
    flapping: left.flapping || penalty > cutoffThreshold,
  };
}
