// The way down: what a caller may ask to publish, and what a command is from then on.
import * as z from 'zod';
import { maxStringBytes, stringFault, topicFault } from './topic.ts';

/** Largest body of a publish request, in bytes; what stands in it beside the payload counts too. */
export const maxPublishBodyBytes = 1024 * 1024;
/** Largest payload that certainly fits into it as base64, which adds a third, beside 64 KiB of other fields: bytes. */
export const maxBase64PayloadBytes = ((maxPublishBodyBytes - 64 * 1024) / 4) * 3;
/** Largest body of a bulk request, in bytes: what a Lambda function takes, less what stands around it. */
export const maxBulkBodyBytes = 5 * 1024 * 1024;
/** Maximum commands in one bulk request. */
export const maxBulkCommands = 1000;
/** A command that says nothing of its expiry is sent within this time or not at all, in seconds. */
export const defaultExpirySeconds = 3600;
/** Longest life of a command, in seconds: 30 days. */
export const maxExpirySeconds = 30 * 86_400;
/** Longest wait of a request, in seconds; API Gateway ends one after 30. */
export const maxTimeoutSeconds = 25;
/** Longest reply that is kept, in bytes; with the other attributes it fits into one item. */
export const maxReplyBytes = 256 * 1024;

/** Where `{commandId}` stands in a topic, the command's id is put when it is sent. */
export const commandIdPlaceholder = '{commandId}';

/** Length of a command's id: a UUID, a hyphen, and 16 digits of its topic's digest. */
export const commandIdLength = 36 + 1 + 16;

// Control characters are legal in a string and a broker may close the connection on them [MQTT-1.5.4]; mosquitto does.
const mqttString = z.string().superRefine((text, context) => {
  const fault = stringFault(text);
  if (fault !== undefined) context.addIssue(fault);
});

/**
 * The topic with the placeholder `{commandId}` filled in; of a response topic, for which `topic` is given, also
 * `{topic}`: the topic that the command is published to.
 */
export function expandTopic(template: string, commandId: string, topic?: string): string {
  // A function as replacement: `$&` in a topic is text. The topic goes in last, as it is.
  const expanded = template.replaceAll(commandIdPlaceholder, () => commandId);
  return topic === undefined ? expanded : expanded.replaceAll('{topic}', () => topic);
}

/** What the broker's rules say, of topics with `$` too, is for the api to add: it knows the broker. */
function checkTopic(value: string, context: z.RefinementCtx): void {
  const expanded = expandTopic(value, 'x'.repeat(commandIdLength));
  const fault = topicFault(value) ?? topicFault(expanded);
  if (fault !== undefined) context.addIssue(fault);
}

const topic = z
  .string()
  .superRefine(checkTopic)
  .describe(
    `MQTT topic to publish to: up to ${maxStringBytes} bytes, no wildcards; beginning with \`$\` only where the broker has such topics for clients. \`{commandId}\` in it becomes the id of the command.`,
  );

const responseTopic = z
  .string()
  .superRefine(checkTopic)
  .describe(
    'Topic that the device shall answer on (MQTT 5 response topic); `{commandId}` and `{topic}` in it are filled in.',
  );

const correlationDataBase64 = z
  .base64('must be base64 with padding')
  .refine((text) => Buffer.byteLength(text, 'base64') <= 65_535, 'must be at most 65535 bytes')
  .describe('MQTT 5 correlation data, where Causeway shall not make its own.');

export const waitForSchema = z
  .enum(['none', 'broker', 'reply'], 'must be none, broker or reply')
  .describe(
    '`none` answers when the command is recorded, `broker` when the broker has acknowledged it, `reply` when the device has answered.',
  );

export type WaitFor = z.output<typeof waitForSchema>;

/** Body of `POST /v1/publish`. A payload that is not a string is sent as its JSON text. */
export const publishRequestSchema = z
  .strictObject({
    topic,
    // Not z.json(), which drops `__proto__` keys: what JSON.parse gave is JSON already, and goes on as it is.
    payload: z
      .unknown()
      // As UTF-8 a lone surrogate would become another character.
      .refine(
        (payload) => typeof payload !== 'string' || payload.isWellFormed(),
        'must be well-formed Unicode, without lone surrogates',
      )
      .optional()
      .describe('What to send: a string as its text, anything else as its JSON text, as written.'),
    payloadBase64: z
      .base64('must be base64 with padding')
      .optional()
      .describe(
        `What to send, as base64, instead of \`payload\`. The whole body has at most 1 MiB, so that up to ${maxBase64PayloadBytes} bytes fit as base64.`,
      ),
    qos: z.literal([0, 1, 2], 'must be 0, 1 or 2').default(1).describe('MQTT QoS.'),
    retain: z
      .boolean()
      .default(false)
      .describe(
        'Keep it at the broker for later subscribers. Empty and retained deletes what is kept.',
      ),
    contentType: mqttString.optional().describe('MQTT 5 content type.'),
    userProperties: z
      .array(z.tuple([mqttString, mqttString]))
      .max(100)
      .optional()
      .describe('MQTT 5 user properties: pairs of name and value, in order.'),
    responseTopic: responseTopic.optional(),
    correlationDataBase64: correlationDataBase64.optional(),
    expirySeconds: z
      .int()
      .min(1)
      .max(maxExpirySeconds)
      .optional()
      .describe(
        `Seconds after which the command is no longer sent (default ${defaultExpirySeconds}); when given, also the MQTT 5 message expiry.`,
      ),
    waitFor: waitForSchema.default('broker'),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(maxTimeoutSeconds)
      .default(10)
      .describe('How long the request waits, in seconds.'),
  })
  .superRefine((request, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if ((request.payload === undefined) === (request.payloadBase64 === undefined)) {
      fault('payload', 'exactly one of payload and payloadBase64 must be given');
    }
    if (request.waitFor === 'reply' && request.correlationDataBase64 !== undefined) {
      fault('correlationDataBase64', 'must not be given with waitFor "reply", which makes its own');
    }
  })
  .meta({
    id: 'PublishRequest',
    examples: [{ topic: 'demo/kitchen/cmd', payload: { fan: 'on' }, expirySeconds: 60 }],
  });

export type PublishRequest = z.output<typeof publishRequestSchema>;

export const commandStatuses = ['pending', 'sent', 'answered', 'failed', 'expired'] as const;

export const commandStatusSchema = z
  .enum(commandStatuses, `must be one of ${commandStatuses.join(', ')}`)
  .describe(
    '`pending`: recorded, and sent as soon as the bridge can; `sent`: acknowledged by the broker; `answered`: by the device; `failed`: refused; `expired`: not sent in time.',
  );

export type CommandStatus = z.output<typeof commandStatusSchema>;

const time = z.string().describe('RFC 3339, UTC.');

/** Why a command failed. */
export const commandErrorSchema = z.object({
  code: z.string().describe('Stable code: `broker-refused` or `reply-too-large`.'),
  detail: z.string().describe('In words.'),
});

/** A device's answer, as it travels from the bridge and stands in the ledger. */
export const replySchema = z
  .object({
    topic: z.string(),
    receivedAt: time,
    payloadBase64: z.string(),
    contentType: z.string().optional(),
    userProperties: z.array(z.tuple([z.string(), z.string()])).optional(),
  })
  .meta({ id: 'BridgeReply' });

export type Reply = z.output<typeof replySchema>;

/** What the bridge knows of a command that it was told to send. */
export const outcomeSchema = z.object({
  id: z.string(),
  status: commandStatusSchema,
  sentAt: time.optional(),
  /** False where the broker said that no one is subscribed (MQTT 5 reason code 0x10); any other answer proves nothing. */
  hadSubscribers: z.boolean().optional(),
  /** False where the reply that was asked for is no longer awaited; absent where that has not changed. */
  awaitsReply: z.boolean().optional(),
  reply: replySchema.optional(),
  error: commandErrorSchema.optional(),
});

export type Outcome = z.output<typeof outcomeSchema>;

/** Body of the bridge's `POST /deliver`: recorded commands to be sent, and what to wait for with each. */
export const deliverRequestSchema = z.strictObject({
  commands: z
    .array(z.strictObject({ id: z.string().length(commandIdLength), waitFor: waitForSchema }))
    .min(1)
    .max(maxBulkCommands),
  /** Time until the answer is given as it is then, in milliseconds. */
  timeoutMs: z.int().min(0).max(30_000),
});

export type DeliverRequest = z.output<typeof deliverRequestSchema>;

/** The bridge's answer: an outcome for each command, in the order of the request. */
export const deliverAnswerSchema = z.object({ outcomes: z.array(outcomeSchema) });
