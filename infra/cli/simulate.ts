// `npm run simulate`: what a load needs and costs, by the model of infra/scale; without options, for all loads of the docs.

import { parseArgs } from 'node:util';
import { defaultStorageForm } from '../../functions/contract/storage-form.ts';
import { brokerTable, detailsOf, plansTable, rates, rowsOf } from '../scale/report.ts';

const help = `What a load needs: how many of each part, which is full first, the settings, delay, backlog and cost.

  npm run simulate                            for 1,000 to 1,000,000 messages a second, in tables
  npm run simulate -- --rate 5000             for one load, in detail:
      --rate <messages a second>              1 to 10,000,000
      --topics <number>                       1 to 100,000,000; 10,000 by default
      --zipf <exponent>                       0 to 2: 0, the default, for topics that are alike, 1 for a few hot ones
      --storage packed|items                  packed by default

What it rests on: infra/docs/scale.md.
`;

function fail(message: string): never {
  process.stderr.write(`${message}\nTry: npm run simulate -- --help\n`);
  process.exit(1);
}

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== '' && value >= min && value <= max) return value;
  return fail(`--${name} must be a number from ${min} to ${max}`);
}

function options() {
  try {
    return parseArgs({
      options: {
        rate: { type: 'string' },
        topics: { type: 'string', default: '10000' },
        zipf: { type: 'string', default: '0' },
        storage: { type: 'string', default: defaultStorageForm },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { rate, topics, zipf, storage, help: wantsHelp } = options();
if (wantsHelp) process.stdout.write(help);
else if (rate === undefined) {
  for (const messagesPerSecond of rates)
    console.log(
      `${messagesPerSecond.toLocaleString('en')} messages a second\n\n${plansTable(rowsOf(messagesPerSecond))}\n`,
    );
  console.log(brokerTable());
} else {
  if (storage !== 'items' && storage !== 'packed') fail('--storage must be items or packed');
  const load = {
    messagesPerSecond: number('rate', rate, 1, 10_000_000),
    topics: Math.round(number('topics', topics, 1, 100_000_000)),
    zipf: number('zipf', zipf, 0, 2),
    form: storage,
  } as const;
  process.stdout.write(detailsOf(load));
}
