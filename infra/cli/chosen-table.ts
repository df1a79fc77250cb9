// Which table a command of ours works on: one that is named, or that of the local stack which runs here.
import { readFileSync } from 'node:fs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { parseWith } from '../../functions/contract/parse.ts';
import { createTableClient } from '../../functions/table/client.ts';
import { clientOf } from '../local/database.ts';
import { runningStackSchema, stackFile } from '../local/stack-file.ts';
import { commandLine } from './command-line.ts';
import { CommandError } from './run-command.ts';

export interface ChosenTable {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** For who reads of a failure: which table it is. */
  readonly where: string;
}

/** Of the option `--table`; `environment` has `MESSAGES_TABLE` and `DATA_DIR`. Throws a CommandError where there is none. */
export function chosenTable(
  table: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ChosenTable {
  const named = table ?? (environment['MESSAGES_TABLE'] || undefined);
  if (named !== undefined)
    return { client: createTableClient(), tableName: named, where: `table ${named}` };
  const file = stackFile(environment['DATA_DIR'] || '.causeway');
  const stack = parseWith(runningStackSchema, readJson(file));
  if (!stack.ok) {
    throw new CommandError(
      `No local stack runs here (${file} is missing): start it with ${commandLine('start')}, or give --table.`,
    );
  }
  const { database, table: tableName } = stack.value;
  const at = 'url' in database ? database.url : database.socket;
  return {
    client: clientOf(database),
    tableName,
    where: `the local stack at ${at} (is it running?)`,
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
