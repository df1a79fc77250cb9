// All rows, in the order of the table.
import { commands } from './commands.ts';
import { connections } from './connections.ts';
import { delivery } from './delivery.ts';
import { flow } from './flow.ts';
import type { Row } from './row.ts';
import { sessions } from './sessions.ts';

const { version, tls, will, status } = connections;

export const rows = {
  version,
  tls,
  ...delivery,
  will,
  status,
  ...commands,
  ...flow,
  ...sessions,
} satisfies Record<string, Row>;

export type RowName = keyof typeof rows;
export const rowNames = Object.keys(rows) as readonly RowName[];
