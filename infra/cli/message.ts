// `npx causeway message`: prints what is stored of a message. In a segment it is one of many, and DynamoDB's console does not
// show it.
import { parseArgs } from 'node:util';
import { messageJson } from '../../functions/api/messages/representation.ts';
import { chosenTable } from './chosen-table.ts';
import { commandLine } from './command-line.ts';
import { CommandError, runCommand } from './run-command.ts';
import { storedCopies } from './stored-copies.ts';

const help = `Prints what is stored of a message: where, with which key, and all of it, as JSON.

  ${commandLine('message', '<topic> <id>')}

  --table    name of the DynamoDB table (default $MESSAGES_TABLE), which is found as by every AWS tool
  --help     show this

Without a table, that of the local stack which ${commandLine('start')} runs here, with its data in $DATA_DIR (default .causeway).
It reads all messages of the topic.
`;

function parseCommandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { table: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

async function main(): Promise<string> {
  const { values, positionals } = parseCommandLine();
  if (values.help === true) return help;
  const [topic, id, ...rest] = positionals;
  if (topic === undefined || id === undefined || rest.length > 0)
    throw new CommandError('Give the topic and the id of a message; --help tells more.');
  const { where, ...table } = chosenTable(values.table, process.env);
  const found = await storedCopies(table, topic, id).catch((error: Error) => {
    throw new CommandError(`${where}: ${error.message || error.name}`);
  });
  if (found.length === 0) throw new CommandError(`${topic} has no message with the id ${id}`);
  return found
    .map(
      ({ message, copies }) =>
        `{"stored":${JSON.stringify(copies)},"message":${messageJson(message)}}\n`,
    )
    .join('');
}

await runCommand(main);
