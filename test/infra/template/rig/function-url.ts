// A function URL: who may call it, its limit, and what it makes of a request.
import type { RequestListener } from 'node:http';
import * as z from 'zod';
import type { Access } from './access.ts';
import { InvocationError, type RunningFunction } from './function.ts';
import { functionOf } from './functions.ts';
import { bodyOf, eventOf, refuse, sendResult } from './http.ts';
import type { Site } from './site.ts';

const functionUrlSchema = z.strictObject({
  AuthType: z.enum(['AWS_IAM', 'NONE']),
  TargetFunctionArn: z.string(),
});

/** What answers at the function URLs, by their names. */
export function functionUrls({ declared, access }: Site, functions: Map<string, RunningFunction>) {
  const urls = declared.of('AWS::Lambda::Url', functionUrlSchema);
  return [...urls].map(([name, url]): [string, RequestListener] => [
    name,
    functionUrl(url, functionOf(functions, url.TargetFunctionArn), access),
  ]);
}

const statusOf = { failed: 502, throttled: 429, 'too-large': 413 } as const;

function functionUrl(
  { AuthType, TargetFunctionArn }: z.output<typeof functionUrlSchema>,
  target: Pick<RunningFunction, 'invoke'>,
  access: Access,
): RequestListener {
  return async (request, response) => {
    const body = await bodyOf(request);
    const { method = '', url = '', headers } = request;
    const caller = access.callerOf({ method, target: url, headers, body }, 'lambda');
    const isAllowed =
      AuthType === 'NONE' ||
      // Both, since October 2025.
      [
        { action: 'lambda:InvokeFunctionUrl', key: 'lambda:FunctionUrlAuthType', value: AuthType },
        { action: 'lambda:InvokeFunction', key: 'lambda:InvokedViaFunctionUrl', value: true },
      ].every(({ action, key, value }) =>
        access.use(caller, { action, resource: TargetFunctionArn, context: { [key]: value } }),
      );
    if (!isAllowed) return refuse(response, 403, 'Forbidden');
    const authorizer = { iam: { userArn: caller } };
    try {
      sendResult(
        response,
        await target.invoke(eventOf(request, body, { routeKey: '$default', authorizer })),
      );
    } catch (error) {
      const kind = error instanceof InvocationError ? error.kind : 'failed';
      refuse(response, statusOf[kind], String(error));
    }
  };
}
