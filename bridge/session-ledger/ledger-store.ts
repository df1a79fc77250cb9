// Where the session ledger is kept, as the rest of the folder sees it.
import type { Deployment, SessionEntry } from './entry.ts';

export interface LedgerStore {
  /** Whether other bridges write there too. */
  readonly isShared: boolean;
  /** All entries. An entry that makes no sense is left out: its session is then one that the ledger does not know. */
  list(): Promise<SessionEntry[]>;
  read(clientId: string): Promise<SessionEntry | undefined>;
  /** The user of the client id, which holds its lease, writes its entry: there is one at a time. */
  put(entry: SessionEntry): Promise<void>;
  remove(clientId: string): Promise<void>;
  readDeployment(): Promise<Deployment | undefined>;
  /** Puts it in the place of the one of this version, or of none; false where another bridge was faster. */
  replaceDeployment(deployment: Deployment, version: number | undefined): Promise<boolean>;
}
