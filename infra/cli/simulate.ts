// `npm run simulate`: what a load needs and costs, by the model of infra/scale; without options, for all loads of the docs.
import { parseArgs } from 'node:util';
import { defaultStorageForm, storageForms } from '../../functions/contract/storage-form.ts';
import { brokerTable, detailsOf, plansTable, rates, rowsOf } from '../scale/report.ts';
import { CommandError, runCommand } from './run-command.ts';

const help = `What a load needs: how many of each part, which is full first, the settings, delay, backlog and cost.

  npm run simulate                            for 1,000 to 1,000,000 messages a second, in tables
  npm run simulate -- --rate 5000             for one load, in detail:
      --rate <messages a second>              1 to 10,000,000
      --topics <number>                       1 to 100,000,000; 10,000 by default
      --zipf <exponent>                       0 to 2: 0, the default, for topics that are alike, 1 for a few hot ones
      --storage packed|items                  packed by default

What it rests on: infra/docs/scale.md.
`;

function parseCommandLine() {
  try {
    return parseArgs({
      options: {
        rate: { type: 'string' },
        topics: { type: 'string', default: '10000' },
        zipf: { type: 'string', default: '0' },
        storage: { type: 'string', default: defaultStorageForm },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw faulty((error as Error).message);
  }
}

const faulty = (message: string) => new CommandError(`${message}\nTry: npm run simulate -- --help`);

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== '' && value >= min && value <= max) return value;
  throw faulty(`--${name} must be a number from ${min} to ${max}`);
}

async function main(): Promise<string> {
  const { rate, topics, zipf, storage, help: wantsHelp } = parseCommandLine();
  if (wantsHelp) return help;
  const form = storageForms.find((one) => one === storage);
  if (form === undefined) throw faulty(`--storage must be ${storageForms.join(' or ')}`);
  if (rate === undefined) return allLoads();
  return detailsOf({
    messagesPerSecond: number('rate', rate, 1, 10_000_000),
    topics: Math.round(number('topics', topics, 1, 100_000_000)),
    zipf: number('zipf', zipf, 0, 2),
    form,
  });
}

function allLoads(): string {
  const plans = rates.map(
    (rate) => `${rate.toLocaleString('en')} messages a second\n\n${plansTable(rowsOf(rate))}\n\n`,
  );
  return `${plans.join('')}${brokerTable()}\n`;
}

await runCommand(main);
