// The table of the results: printed, and kept in results.md, from where bridge/docs/brokers.md has it.
import { writeFileSync } from 'node:fs';
import { brokers } from './brokers/brokers.ts';
import type { Outcome } from './rows/row.ts';
import { rowNames, rows } from './rows/rows.ts';

/** By `<broker> <row>`. */
export type Results = Map<string, Outcome>;

/** Prints what was seen; a run that has seen everything is kept. */
export function keepResults(results: Results): void {
  const isWhole = results.size === brokers.length * rowNames.length;
  const text = resultsText(results);
  console.log(text);
  if (isWhole) writeFileSync('test/interop/results.md', `${text}\n`);
  else console.log('Not all rows have passed: test/interop/results.md is as it was.');
}

function resultsText(results: Results): string {
  const remarks: string[] = [];
  /** Long outcomes stand under the table, each once. */
  const cell = (outcome: Outcome | undefined): string => {
    if (outcome === undefined) return '?';
    const [answer = '', remark] = outcome.split(/: (.*)/s);
    if (remark === undefined) return answer;
    if (!remarks.includes(remark)) remarks.push(remark);
    return `${answer} (${remarks.indexOf(remark) + 1})`;
  };
  const columns = brokers.map(({ name, version }) =>
    version === undefined || name === 'embedded' ? name : `${name} ${version}`,
  );
  const lines = rowNames.map((name) => {
    const cells = brokers.map((broker) => cell(results.get(`${broker.name} ${name}`)));
    return `| ${[rows[name].capability, ...cells].join(' | ')} |`;
  });
  return [
    `| | ${columns.join(' | ')} |`,
    `| --- |${' --- |'.repeat(columns.length)}`,
    ...lines,
    '',
    remarks.map((remark, index) => `${index + 1}. ${remark}`).join('\n'),
    '',
    'Settings of the broker to make, with which this was seen:',
    '',
    '| broker | setting | why |',
    '| --- | --- | --- |',
    ...brokers.flatMap(({ name, settings }) =>
      settings.map(
        ({ name: setting, value, why }) => `| ${name} | \`${setting} ${value}\` | ${why} |`,
      ),
    ),
  ].join('\n');
}
