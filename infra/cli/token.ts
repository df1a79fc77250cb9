// `npx causeway token`: makes, lists and revokes the tokens of the API.
import { parseArgs } from 'node:util';
import { maxScopes } from '../../functions/api/access/scopes.ts';
import { createTokenStore } from '../../functions/api/access/tokens.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import { chosenTable } from './chosen-table.ts';
import { commandLine } from './command-line.ts';
import { CommandError, runCommand } from './run-command.ts';
import { type Action, commands } from './token-commands.ts';

const help = `Makes, lists and revokes tokens of the API.

  ${commandLine('token', 'create --name <name> --scope <scope> [--scope <scope>] [--expires <when>]')}
  ${commandLine('token', 'list')}
  ${commandLine('token', 'revoke <id>')}

  --name     what it is for, for readers of the list
  --scope    read:<topic filter>, publish:<topic filter>, delete:<topic filter> or admin; up to ${maxScopes} times
  --expires  after so many days or hours (90d, 12h), or at a time (2027-01-01T00:00:00Z); without it, never
  --table    name of the DynamoDB table (default $MESSAGES_TABLE), which is found as by every AWS tool: by
             AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB and so on
  --json     print JSON
  --help     show this

Without a table, that of the local stack which ${commandLine('start')} runs here, with its data in $DATA_DIR (default .causeway).

  ${commandLine('token', 'create --name dashboard --scope "read:devices/#" --scope "publish:devices/+/cmd" --expires 90d')}
`;

/** The command line as options of one command, and what does not fit at all. */
function parseCommandLine(): { run: Action; table: string | undefined } | undefined {
  // Not strict: that would end at the first problem, and all are to be told.
  const { values, positionals } = parseArgs({
    strict: false,
    options: {
      name: { type: 'string' },
      scope: { type: 'string', multiple: true },
      expires: { type: 'string' },
      table: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values['help'] === true) return undefined;
  const [called = '', ...rest] = positionals;
  if (!Object.hasOwn(commands, called))
    throw new CommandError('The command must be create, list or revoke; --help tells more.');
  const ids = called === 'revoke' ? rest.splice(0, 1) : [];
  const parsed = commands[called as keyof typeof commands]({
    ...values,
    ...(ids.length > 0 && { id: ids[0] }),
  });
  const surplus = rest.length === 0 ? [] : ['too many arguments: quote what has spaces'];
  const problems = [...(parsed.ok ? [] : parsed.faults.map(faultText)), ...surplus];
  if (!parsed.ok || problems.length > 0) throw new CommandError(problems.join('\n'));
  return { run: parsed.value, table: values['table'] as string | undefined };
}

function faultText({ field, rule }: FieldFault): string {
  if (field === 'id') return `<id> ${rule}`;
  const [option = '', index] = field.split('.');
  const which = index === undefined ? '' : ` (number ${Number(index) + 1})`;
  return `--${option}${which} ${rule.replace('a known field', 'a known option')}`;
}

async function main(): Promise<string> {
  const commandLine = parseCommandLine();
  if (commandLine === undefined) return help;
  const { where, ...table } = chosenTable(commandLine.table, process.env);
  return commandLine.run(createTokenStore(table)).catch((error: Error) => {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${where}: ${error.message || error.name}`);
  });
}

await runCommand(main);
