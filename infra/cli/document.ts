// `npm run document`: the tables in our documents, and the files for Prometheus and Grafana, that are made from schemas and
// data. A test checks that they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { bridgeConfigSchema } from '../../bridge/config/config.ts';
import { runbook } from '../aws/runbook.ts';
import { deploymentSchema } from '../config/config.ts';
import { settingsSchema } from '../local/settings.ts';
import { alertRulesFile } from '../prometheus/alert-rules.ts';
import { dashboardFile } from '../prometheus/dashboard.ts';
import { metricsTable } from '../prometheus/metric-list.ts';
import { costPlot, deploymentsPlot } from '../scale/plots.ts';
import {
  brokerTable,
  calibrationTable,
  limitsTable,
  plansTable,
  rowsOf,
  settingsOfPlans,
} from '../scale/report.ts';
import { settingsTable } from './settings-table.ts';

function runbookTable(): string {
  const rows = Object.entries(runbook).map(
    ([alarm, { means, action }]) => `| ${alarm} | ${means} | ${action} |`,
  );
  return ['| alarm | what it means | what to do |', '| --- | --- | --- |', ...rows].join('\n');
}

/** What SDKs of each language make of our requests, as `test/interop/sdks` has seen it. */
function sdkTable(): string {
  const outcomes: Record<string, Record<string, string>> = JSON.parse(
    readFileSync('test/interop/sdks/expected.json', 'utf8'),
  );
  const languages = Object.keys(outcomes);
  const rows = Object.keys(outcomes['JavaScript'] ?? {}).map((name) =>
    ['', name, ...languages.map((language) => outcomes[language]?.[name] ?? ''), ''].join(' | '),
  );
  const head = ['', '', ...languages, ''].join(' | ');
  const line = `|${' --- |'.repeat(languages.length + 1)}`;
  return [head, line, ...rows].map((row) => row.trim()).join('\n');
}

function scaleSections(): Record<string, string> {
  const small = rowsOf(1000);
  const medium = rowsOf(100_000);
  const large = rowsOf(1_000_000);
  return {
    'plans for 1,000': plansTable(small),
    'plans for 100,000': plansTable(medium),
    'plans for 1,000,000': plansTable(large),
    'settings for 1,000': settingsOfPlans(small),
    'settings for 100,000': settingsOfPlans(medium),
    'settings for 1,000,000': settingsOfPlans(large),
    broker: brokerTable(),
    limits: limitsTable(),
    calibration: calibrationTable(),
  };
}

/** The documents with generated sections, and what stands in each. */
export const documents: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'infra/docs/one-machine.md': { settings: settingsTable(settingsSchema) },
  'infra/docs/configuration.md': { config: settingsTable(deploymentSchema) },
  'infra/docs/operation.md': { metrics: metricsTable(), runbook: runbookTable() },
  'infra/docs/scale.md': scaleSections(),
  'bridge/docs/brokers.md': {
    interop: readFileSync('test/interop/results.md', 'utf8').trimEnd(),
  },
  'bridge/docs/webhooks.md': { sdks: sdkTable() },
  'bridge/docs/bridge-alone.md': { bridge: settingsTable(bridgeConfigSchema) },
};

/** Files that are made as a whole. */
export const generatedFiles: Readonly<Record<string, string>> = {
  'infra/prometheus/causeway-alerts.yaml': alertRulesFile(),
  'infra/prometheus/causeway-dashboard.json': dashboardFile(),
  'infra/docs/scale-deployments.svg': deploymentsPlot(),
  'infra/docs/scale-cost.svg': costPlot(),
};

/** A document's text with its generated sections as they are now. */
export function documented(text: string, sections: Readonly<Record<string, string>>): string {
  return Object.entries(sections).reduce((before, [name, table]) => {
    const section = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
    if (!section.test(before)) throw new Error(`there is no section ${name}`);
    return before.replace(section, (_, start, end) => `${start}${table}${end}`);
  }, text);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, sections] of Object.entries(documents))
    writeFileSync(file, documented(readFileSync(file, 'utf8'), sections));
  for (const [file, text] of Object.entries(generatedFiles)) writeFileSync(file, text);
}
