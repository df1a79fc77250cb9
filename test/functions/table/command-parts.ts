// Parts of commands, drawn for property tests.
import { legalTopic, mqttText } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

export const time = fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toISOString());
export const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));

export const properties = fc.record(
  {
    contentType: mqttText,
    responseTopic: legalTopic,
    correlationData: bytes,
    userProperties: fc.array(fc.tuple(mqttText, mqttText), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
