// An HTTP API: its routes to functions, its limits, and what it makes of a request.
import type { IncomingMessage, RequestListener } from 'node:http';
import * as z from 'zod';
import type { RunningFunction } from './function.ts';
import { functionOf } from './functions.ts';
import { bodyOf, eventOf, refuse, sendResult } from './http.ts';
import { arn } from './identities.ts';
import { matches } from './policies.ts';
import type { Site } from './site.ts';
import { newThrottle, type Throttle, throttleSchema } from './throttle.ts';

const apiSchema = z.strictObject({
  Name: z.string(),
  ProtocolType: z.literal('HTTP'),
  // CORS is the function's: see CORS_ORIGINS.
});

const stageSchema = z.strictObject({
  ApiId: z.string(),
  StageName: z.literal('$default'),
  AutoDeploy: z.literal(true),
  AccessLogSettings: z.unknown(),
  DefaultRouteSettings: throttleSchema,
  RouteSettings: z.record(z.string(), throttleSchema).default({}),
});

const routeSchema = z.strictObject({
  ApiId: z.string(),
  AuthorizationType: z.literal('NONE'),
  RouteKey: z.string(),
  Target: z.string(),
});

const integrationSchema = z.strictObject({
  ApiId: z.string(),
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
});

const permissionSchema = z.strictObject({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string(),
});

interface ApiRoute {
  /** Such as `ANY /{proxy+}`. */
  readonly key: string;
  readonly target: Pick<RunningFunction, 'invoke'>;
  /** Whether a resource policy of the function lets this route call it. */
  readonly isPermitted: boolean;
  readonly throttle: Throttle;
}

/** What answers at the HTTP APIs, by their names. */
export function httpApis({ declared }: Site, functions: Map<string, RunningFunction>) {
  const permissions = [...declared.of('AWS::Lambda::Permission', permissionSchema).values()];
  const integrations = declared.of('AWS::ApiGatewayV2::Integration', integrationSchema);
  const routes = [...declared.of('AWS::ApiGatewayV2::Route', routeSchema).values()];
  const stages = [...declared.of('AWS::ApiGatewayV2::Stage', stageSchema).values()];
  return [...declared.of('AWS::ApiGatewayV2::Api', apiSchema).keys()].map(
    (api): [string, RequestListener] => {
      const stage = stages.find(({ ApiId }) => ApiId === api);
      if (stage === undefined) throw new Error(`${api} has no stage`);
      const own = routes.filter(({ ApiId }) => ApiId === api);
      return [
        api,
        httpApi(
          own.map(({ RouteKey, Target }): ApiRoute => {
            const integration = integrations.get(Target.replace(/^integrations\//, ''));
            if (integration?.ApiId !== api) throw new Error(`${RouteKey} leads nowhere: ${Target}`);
            const source = arn('execute-api', `${api}/$default/${RouteKey.replace(/ /, '')}`);
            return {
              key: RouteKey,
              throttle: newThrottle(stage.RouteSettings[RouteKey] ?? stage.DefaultRouteSettings),
              target: functionOf(functions, integration.IntegrationUri),
              isPermitted: permissions.some(
                ({ Action, FunctionName, Principal, SourceArn }) =>
                  Action === 'lambda:InvokeFunction' &&
                  Principal === 'apigateway.amazonaws.com' &&
                  FunctionName === integration.IntegrationUri &&
                  matches(SourceArn, source),
              ),
            };
          }),
        ),
      ];
    },
  );
}

/** Quotas of HTTP APIs. */
const maxBodyBytes = 10 * 1024 * 1024;
const maxHeaderBytes = 10_240;
const integrationTimeoutMs = 30_000;

function httpApi(routes: readonly ApiRoute[]): RequestListener {
  return async (request, response) => {
    const body = await bodyOf(request);
    const path = decodedPath(request);
    const found = path === undefined ? undefined : routeOf(routes, request.method, path);
    if (headerBytes(request) > maxHeaderBytes)
      return refuse(response, 431, 'Request Header Fields Too Large');
    if (body.byteLength > maxBodyBytes) return refuse(response, 413, 'Request Entity Too Large');
    if (path === undefined) return refuse(response, 400, 'Bad Request');
    if (found === undefined) return refuse(response, 404, 'Not Found');
    const { route, pathParameters } = found;
    if (!route.throttle.take()) return refuse(response, 429, 'Too Many Requests');
    if (!route.isPermitted) return refuse(response, 500, 'Internal Server Error');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('timeout')), integrationTimeoutMs);
    });
    try {
      const event = eventOf(request, body, { routeKey: route.key, pathParameters, path });
      sendResult(response, await Promise.race([route.target.invoke(event), timeout]));
    } catch (error) {
      const status = error instanceof Error && error.message === 'timeout' ? 503 : 500;
      refuse(response, status, `Internal Server Error: ${error}`);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The path as functions get it: decoded, in `rawPath` and in the parameters, so that `%2F` is a `/` like others. */
function decodedPath({ url = '/' }: IncomingMessage): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '/');
  } catch {
    return undefined;
  }
}

/** The route with the most specific path: the fewest parameters, a greedy one last. */
function routeOf(routes: readonly ApiRoute[], method: string | undefined, path: string) {
  const rank = ({ key }: ApiRoute) =>
    (key.match(/\{/g)?.length ?? 0) + (key.includes('+}') ? 100 : 0);
  for (const route of routes.toSorted((a, b) => rank(a) - rank(b))) {
    const [verb = '', pattern = ''] = route.key.split(' ');
    const source = pattern
      .replaceAll(/[.$*^|()\\]/g, String.raw`\$&`)
      .replaceAll(/\{(\w+)\+\}/g, '(?<$1>.+)')
      .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const match = new RegExp(`^${source}$`).exec(path);
    if (match !== null && (verb === 'ANY' || verb === method))
      return { route, pathParameters: { ...match.groups } };
  }
  return undefined;
}

function headerBytes({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  return method.length + url.length + rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
}
