// Telegraf as a subject: mqtt_consumer → outputs.http, which acknowledges a message once its write has been answered.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/brokers.ts';
import { topicFilter } from './payload.ts';
import { endProcess, tied } from './programs.ts';
import type { Subject, Target } from './subject.ts';
import type { Telegraf } from './telegraf-install.ts';

const clientId = 'telegraf';
/** Messages that it takes before they are written; as many as Causeway's larger window. */
const maxUndelivered = 4000;

/**
 * What a user sets for the same promise: a kept session at QoS 1, and payloads taken as they are. What does not fill a
 * batch waits for the flush interval, 10 s by default. Where that is shorter than a write takes, Telegraf warns each time.
 */
function configuration({ brokerUrl, handlerUrl }: Target, batchSize: number): string {
  return `
[agent]
  omit_hostname = true
  quiet = true
  metric_batch_size = ${batchSize}
  flush_interval = "50ms"

[[inputs.mqtt_consumer]]
  servers = ["tcp://${new URL(brokerUrl).host}"]
  topics = ["${topicFilter}"]
  client_id = "${clientId}"
  qos = 1
  persistent_session = true
  max_undelivered_messages = ${maxUndelivered}
  data_format = "value"
  data_type = "string"

[[outputs.http]]
  url = "${handlerUrl}"
  data_format = "json"
`;
}

export function telegraf(
  { file, version }: Telegraf,
  drainMessages: number,
  batchSize: number,
): Subject {
  return {
    name: `Telegraf, batches of ${batchSize.toLocaleString('en')}`,
    note: `Telegraf is ${version}; it has one request under way at a time, and is measured with larger batches too.`,
    clientId,
    acknowledges: 'when stored',
    drainMessages,
    handlerLatenciesMs: [0, 20],
    start(target) {
      const configFile = join(temporaryFolder('bench-telegraf'), 'telegraf.conf');
      writeFileSync(configFile, configuration(target, batchSize));
      const child = tied(
        // It prints a line for each write that the handler refuses.
        spawn(file, ['--config', configFile], { stdio: 'ignore' }),
      );
      return { process: child, stop: () => endProcess(child) };
    },
  };
}
