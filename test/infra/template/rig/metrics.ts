// CloudWatch's metric filters: what those of a template find in a log of JSON lines.
import * as z from 'zod';
import type { Declared } from './declared.ts';

const fieldOfLine = /^\$\.(\w+)$/;
const filterSchema = z.strictObject({
  LogGroupName: z.string(),
  FilterPattern: z.string().regex(/^\{ \$\.msg = "[^"]+" \}$/),
  MetricTransformations: z.tuple([
    z.strictObject({
      MetricName: z.string(),
      MetricNamespace: z.string(),
      MetricValue: z.string().regex(fieldOfLine),
      Dimensions: z
        .array(z.strictObject({ Key: z.string(), Value: z.string().regex(fieldOfLine) }))
        .default([]),
    }),
  ]),
});

/** Values by the name of the metric. A line without a field of the filter, or with no number, is no data. */
export function metricsIn(declared: Declared, log: string): Map<string, number[]> {
  const lines = log.split('\n').flatMap(lineOf);
  return new Map(
    [...declared.of('AWS::Logs::MetricFilter', filterSchema).values()].map(
      ({ FilterPattern, MetricTransformations: [transformation] }) => {
        const { MetricName, MetricValue, Dimensions } = transformation;
        const [, message = ''] = /"(.+)"/.exec(FilterPattern) ?? [];
        const values = lines
          .filter((line) => line['msg'] === message)
          .filter((line) => Dimensions.every(({ Value }) => fieldOf(line, Value) !== undefined))
          .map((line) => fieldOf(line, MetricValue))
          .filter((value) => typeof value === 'number');
        return [MetricName, values];
      },
    ),
  );
}

function lineOf(text: string): Record<string, unknown>[] {
  return text.startsWith('{') && text.endsWith('}') ? [JSON.parse(text)] : [];
}

function fieldOf(line: Record<string, unknown>, path: string): unknown {
  return line[fieldOfLine.exec(path)?.[1] ?? ''];
}
