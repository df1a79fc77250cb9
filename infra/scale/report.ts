// The model's answers as text: for a terminal, and as tables of infra/docs/scale.md. Pure.

import type { StorageForm } from '../../functions/contract/storage-form.ts';
import { prices } from '../aws/prices.ts';
import { limits } from './limits.ts';
import { calibratedBy, predictedDelays, predictedDrains } from './measured.ts';
import { type Load, type Part, type Plan, partNames, planOf } from './plan.ts';
import { benchRun } from './task-model.ts';

export const rates = [1000, 100_000, 1_000_000] as const;
const fleets = [10_000, 1_000_000, 10_000_000] as const;
const exponents = [0, 1] as const;
const forms: readonly StorageForm[] = ['items', 'packed'];

export interface Row {
  readonly load: Load;
  readonly plan: Plan;
}

/** A plan for each fleet, hot or not, in both forms. */
export function rowsOf(messagesPerSecond: number): Row[] {
  return fleets.flatMap((topics) =>
    exponents.flatMap((zipf) =>
      forms.map((form) => {
        const load = { messagesPerSecond, topics, zipf, form };
        return { load, plan: planOf(load) };
      }),
    ),
  );
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
/** Two digits of what is not known better. */
const about = (value: number) => Number(value.toPrecision(2)).toLocaleString('en');

function firstText({ first, uses, tooHot }: Plan): string {
  const text = `${partNames[first]}, ${about(uses[first] * 100)} %`;
  return tooHot ? `${text}; the hottest topic is too much for one` : text;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function plansTable(rows: readonly Row[]): string {
  const head = [
    ...['topics', 'Zipf', 'storage', 'fullest, if one deployment had all', 'deployments'],
    ...['ingest at once', 'write units/s', 'p50 / p99 ms', 'drain h', '$ a month'],
  ];
  return table(
    head,
    rows.map(({ load, plan }) => [
      whole(load.topics),
      String(load.zipf),
      load.form,
      firstText(plan),
      `${plan.deployments} × ${plan.settings.cpu / 1024} vCPU`,
      whole(plan.executions),
      about(plan.writeUnitsPerSecond),
      `${about(plan.p50Ms)} / ${about(plan.p99Ms)}`,
      plan.drainHours.toFixed(1),
      about(plan.dollarsMonth),
    ]),
  );
}

/** Settings that differ from the defaults, of the plans for one rate. */
export function settingsOfPlans(rows: readonly Row[]): string {
  const head = ['topics', 'Zipf', 'storage', '`bridge.cpu`', '`connections`', '`concurrency`'];
  return table(
    [...head, '`window`', '`writeShards`', '`table.warmWriteUnitsPerSecond`'],
    rows.map(({ load, plan: { settings } }) => [
      whole(load.topics),
      String(load.zipf),
      load.form,
      String(settings.cpu),
      String(settings.connections),
      String(settings.concurrency),
      String(settings.window),
      String(settings.writeShards),
      settings.warmWriteUnitsPerSecond === 0 ? '–' : String(settings.warmWriteUnitsPerSecond),
    ]),
  );
}

/** What depends on the rate alone: the broker's side. */
export function brokerTable(): string {
  return table(
    ['msg/s', 'cores of mosquitto', 'connections to AWS IoT Core', 'an hour away: messages', 'GB'],
    rates.map((messagesPerSecond) => {
      const plan = planOf({ messagesPerSecond, topics: 10_000, zipf: 0, form: 'packed' });
      return [
        whole(messagesPerSecond),
        whole(plan.brokerCores),
        whole(plan.awsIotConnections),
        whole(plan.backlogMessages),
        about(plan.backlogGb),
      ];
    }),
  );
}

export function limitsTable(): string {
  return table(
    ['limit', 'of what', 'source'],
    Object.values(limits).map(({ value, unit, source }) => [
      value.toLocaleString('en'),
      unit,
      source,
    ]),
  );
}

export function calibrationTable(): string {
  const off = (model: number, measured: number) =>
    `${((model / measured - 1) * 100).toFixed(0)} %`.replace('-', '−');
  const drains = [
    ...calibratedBy.map((point) => ({ ...point, role: 'calibrated by' })),
    ...predictedDrains.map((point) => ({ ...point, role: 'predicted' })),
  ].map(({ role, window, handlerMs, messagesPerSecond }) => {
    const { messagesPerSecond: model } = benchRun({ window, handlerMs });
    const what = `drain, window ${whole(window)}, handler ${handlerMs} ms`;
    return [
      what,
      role,
      `${whole(messagesPerSecond)} msg/s`,
      whole(model),
      off(model, messagesPerSecond),
    ];
  });
  const delays = predictedDelays.map(({ window, handlerMs, messagesPerSecond, p50Ms }) => {
    const { p50Ms: model } = benchRun({ window, handlerMs, messagesPerSecond });
    const what = `p50 at ${whole(messagesPerSecond)} msg/s, window ${whole(window)}, handler ${handlerMs} ms`;
    return [what, 'predicted', `${p50Ms} ms`, model.toFixed(1), off(model, p50Ms)];
  });
  return table(['point', '', 'measured', 'model', 'off by'], [...drains, ...delays]);
}

/** One load, with the use of every part. */
export function detailsOf(load: Load): string {
  const plan = planOf(load);
  const { settings } = plan;
  const uses = (Object.keys(partNames) as Part[]).toSorted(
    (one, other) => plan.uses[other] - plan.uses[one],
  );
  const warm = settings.warmWriteUnitsPerSecond;
  return [
    `${whole(load.messagesPerSecond)} msg/s of 200 B over ${whole(load.topics)} topics, Zipf ${load.zipf}, storage ${load.form}`,
    '',
    'Use of each part, if one deployment had all:',
    ...uses.map(
      (part) => `  ${partNames[part].padEnd(36)}${about(plan.uses[part] * 100).padStart(9)} %`,
    ),
    ...(plan.tooHot
      ? [
          '  The hottest topic brings more than its partitions take: let its device use several topics.',
        ]
      : []),
    '',
    `Deployments, each with a part of the topics   ${plan.deployments}`,
    `  bridge.cpu ${settings.cpu}, connections ${settings.connections}, concurrency ${settings.concurrency}, window ${settings.window}, writeShards ${settings.writeShards}${warm === 0 ? '' : `, table.warmWriteUnitsPerSecond ${warm}`}`,
    `Ingest at once, all of them                   ${whole(plan.executions)}`,
    `Write units a second, all of them             ${about(plan.writeUnitsPerSecond)}`,
    `Cores of mosquitto                            ${plan.brokerCores}`,
    `Connections, if it is AWS IoT Core            ${whole(plan.awsIotConnections)}`,
    `Delay from publish to PUBACK, p50 / p99       ${about(plan.p50Ms)} / ${about(plan.p99Ms)} ms`,
    `After an hour away                            ${whole(plan.backlogMessages)} messages, ${about(plan.backlogGb)} GB at the broker, ${plan.drainHours.toFixed(1)} h to catch up`,
    `A month (us-east-1, ${prices.asOf})           $${about(plan.dollarsMonth)}`,
    '',
  ].join('\n');
}
