// What the bridge tells of a test event that it has sent to the handler of a route: the request, the answer, and what that
// would mean for a message.
import * as z from 'zod';

const headers = z.record(z.string(), z.string());

export const routeTestSchema = z
  .object({
    verdict: z
      .enum(['delivered', 'failed', 'held', 'refused', 'disabled', 'unsendable'])
      .describe(
        'What would become of a message: `delivered`; `failed`: the receipt names it; `held`: it is kept and sent again; `refused`: it becomes a dead letter; `disabled`: the route sends nothing more (410); `unsendable`: no request can carry it, and none was sent.',
      ),
    explanation: z.string().describe('The same in words, with the cure where something is wrong.'),
    sent: z
      .object({
        method: z.string(),
        url: z
          .string()
          .describe(
            'Where it was sent; values of the query and what looks like a token are masked.',
          ),
        headers: headers.describe('Secrets and signatures are masked.'),
        body: z.string().describe('Its first 4,096 bytes, as UTF-8.'),
        bodyBytes: z.int().min(0).describe('Of the whole body.'),
      })
      .optional()
      .describe('Absent where nothing was sent.'),
    answer: z
      .object({
        status: z.int(),
        headers,
        body: z.string().describe('Its first 1,024 bytes, as UTF-8.'),
      })
      .optional()
      .describe('Absent where there was none.'),
    latencyMs: z.int().min(0).optional().describe('Time until the whole answer was there.'),
  })
  .meta({ id: 'RouteTest', description: 'A test event, and how the handler answered.' });

export type RouteTest = z.output<typeof routeTestSchema>;

/** Body of the bridge's `POST /routes/test`. */
export const routeTestRequestSchema = z.strictObject({
  name: z.string().min(1).max(40),
  topic: z.string().min(1).max(1024).optional(),
});
