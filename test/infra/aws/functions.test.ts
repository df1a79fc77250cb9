// The functions in the template: how they run, who may call them, what their roles may do.
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { apiEnvironmentSchema } from '../../../functions/api/environment.ts';
import { ingestEnvironmentSchema } from '../../../functions/ingest/environment.ts';
import { statementsOf, synthDeployments } from './synth.ts';

let small: Template;
let large: Template;

beforeAll(() => {
  ({ small, large } = synthDeployments());
});

describe('the functions', () => {
  test('run on Node 24 on Arm, with JSON logs', () => {
    const functions = Object.values(small.findResources('AWS::Lambda::Function'));
    expect(functions).toHaveLength(2);
    for (const { Properties: properties } of functions) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        LoggingConfig: { LogFormat: 'JSON' },
      });
    }
  });

  test('ingest has no URL, which not all regions have, and ends before the bridge gives up', () => {
    small.resourceCountIs('AWS::Lambda::Url', 0);
    large.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Stores messages',
      Timeout: 18,
      ReservedConcurrentExecutions: 10,
    });
  });

  test('the api gets its secret by reference, and its settings as text', () => {
    large.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Serves the public interface',
      ReservedConcurrentExecutions: 20,
      Environment: {
        Variables: Match.objectLike({
          CORS_ORIGINS: '["https://app.example.com"]',
          LIMITS: Match.serializedJson({
            callerRequestsPerSecond: 100,
            callerCommandsPerSecond: 100,
            callerReadUnitsPerSecond: 500,
            callerWaitingRequests: 3,
            waitingRequests: 4,
          }),
          OIDC_ISSUER: 'https://id.example.com',
          OIDC_AUDIENCE: 'causeway',
          OIDC_SCOPE_CLAIM: 'scope',
          OIDC_CLIENT_ID: 'causeway-console',
          OIDC_SCOPES: '["profile"]',
        }),
      },
    });
  });

  test.each([
    ['Stores messages', ingestEnvironmentSchema],
    ['Serves the public interface', apiEnvironmentSchema],
  ] as const)('%s: the environment is what the program takes', (Description, schema) => {
    for (const template of [small, large]) {
      const found = template.findResources('AWS::Lambda::Function', {
        Properties: { Description },
      });
      const [resource] = Object.values(found);
      const variables = Object.entries<unknown>(resource?.['Properties'].Environment.Variables)
        .filter(([name]) => name !== 'NODE_OPTIONS')
        // What is known at deploy time only: names, and secrets; the key of AES has this length.
        .map(([name, value]) => [name, isKnown(value) ? value : 'x'.repeat(43)]);
      const parsed = z.strictObject(schema.shape).safeParse(Object.fromEntries(variables));
      expect(parsed.error?.issues).toBeUndefined();
    }
  });

  test('no role may do anything to everything, but what EC2 and ECR leave no choice in', () => {
    for (const template of [small, large]) {
      const open = statementsOf(template).filter(({ Resource }) => Resource === '*');
      const actions = new Set(open.flatMap(({ Action }) => Action));
      for (const action of actions) expect(action).toMatch(/^(ec2:\w+|ecr:GetAuthorizationToken)$/);
      expect(JSON.stringify(statementsOf(template))).not.toMatch(/"\w+:\*"/);
    }
  });
});

/** False for what only the deployment knows: references, and secrets by their name. */
function isKnown(value: unknown): value is string {
  return typeof value === 'string' && !value.startsWith('{{resolve:');
}

test('the public interface is throttled and logged', () => {
  small.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
    DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 100 },
    RouteSettings: Object.fromEntries(
      ['GET /docs', 'GET /openapi.json', 'GET /', 'GET /assets/{file}'].map((route) => [
        route,
        { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 20 },
      ]),
    ),
    AccessLogSettings: Match.objectLike({ Format: Match.stringLikeRegexp('requestId') }),
  });
});
