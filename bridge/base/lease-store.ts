// What leases need of the place where they are kept. Every call rejects where that does not answer; then a write may have
// been done or not.
import type { StoredBridge, StoredLease } from '../../functions/table/bridge-item.ts';

export interface StoredLeases {
  readonly bridges: readonly StoredBridge[];
  readonly leases: readonly StoredLease[];
}

export interface LeaseStore {
  /** All that there is; it may be a moment old. */
  read(): Promise<StoredLeases>;
  /** Whether there is this bridge, now. */
  hasBridge(id: string): Promise<boolean>;
  /** In place of one of these versions, or of none where there are none; false where something else is there. */
  putBridge(bridge: StoredBridge, expected: readonly string[]): Promise<boolean>;
  /** Only with one of these versions; false where it had another. */
  removeBridge(id: string, versions: readonly string[]): Promise<boolean>;
  /** In place of this version, or of none; false where something else is there. */
  putLease(lease: StoredLease, expected: string | undefined): Promise<boolean>;
  /** Only with its version. */
  removeLease(lease: StoredLease): Promise<void>;
}

/** The time as leases see it; another one in tests. */
export interface LeaseClock {
  /** Monotonic. */
  nowMs(): number;
  /** Resolves early when `signal` aborts; never rejects. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}
