// Where spans go, as the environment says it, by OpenTelemetry's own names; for both composition roots. Nothing of its SDK
// is loaded before somebody names a collector.
import type { Logger } from 'pino';
import * as z from 'zod';
import { urlWith } from '../../functions/contract/parse.ts';
import type { Tracing } from './tracing.ts';

/** What else the SDK knows of the environment, such as OTEL_EXPORTER_OTLP_CERTIFICATE, it reads itself. */
export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: urlWith('http:', 'https:')
    .optional()
    .describe(
      'collector of OpenTelemetry that gets traces, by OTLP over HTTP, such as http://127.0.0.1:4318',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform((text, context) => {
      const headers = headersIn(text);
      if (headers !== undefined) return headers;
      const message = 'must be name=value, percent-encoded, with commas between several';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .optional()
    .describe('headers for the collector, such as authorization=Bearer%20token'),
  OTEL_SERVICE_NAME: z
    .string()
    .min(1)
    .max(255)
    .default('causeway')
    .describe('name of the service in traces'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .prefault('1')
    .describe(
      'share of the traces that begin here; those of devices and callers are taken where they say so',
    ),
};

function headersIn(text: string): Record<string, string> | undefined {
  try {
    const pairs = text.split(',').map((pair) => /^\s*([\w-]+)\s*=\s*(\S+)\s*$/.exec(pair));
    if (!pairs.every((pair) => pair !== null)) return undefined;
    return Object.fromEntries(
      pairs.map(([, name = '', value = '']) => [name, decodeURIComponent(value)]),
    );
  } catch {
    return undefined;
  }
}

/** Opens tracing where a collector is named. */
export async function tracingIn(
  {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: headers = {},
    OTEL_SERVICE_NAME: serviceName,
    OTEL_TRACES_SAMPLER_ARG: ratio,
  }: z.output<z.ZodObject<typeof tracingVariables>>,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { openTracing } = await import('./tracing.ts');
  return openTracing({
    endpoint,
    headers,
    serviceName,
    ratio,
    log: log.child({ part: 'tracing' }),
  });
}
