// The public interface: an HTTP API in front of the api function, with throttling and an access log.
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  type HttpRoute,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { consolePaths } from '../../functions/api/console-files.ts';
import { documentPaths } from '../../functions/api/document/routes.ts';
import { oneNetPushPath } from '../../functions/ingest/push/path.ts';
import type { ApiFunction, IngestFunction } from './functions.ts';

export interface PublicInterfaceProps {
  readonly api: ApiFunction;
  /** Gets what platforms push; absent where none may. */
  readonly push?: IngestFunction | undefined;
  /** Maximum requests a second over all callers; as many at once. */
  readonly requestsPerSecond: number;
  /** Days that the access log is kept. */
  readonly logRetentionDays: RetentionDays;
}

/** What is logged of a request: no query, header or body, which can hold topics and tokens. */
const accessLog = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  responseBytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  error: '$context.integrationErrorMessage',
};

/** Of all readers of a document together: a browser keeps it for an hour. */
const documentsPerSecond = 5;
const documentsAtOnce = 20;

export class PublicInterface extends Construct {
  readonly api: HttpApi;
  /** Address of the public interface, without a last slash. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: PublicInterfaceProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: Stack.of(this).stackName,
      createDefaultStage: false,
    });
    this.url = this.api.apiEndpoint;
    const integration = new HttpLambdaIntegration('Function', props.api.function, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    const documents = [...documentPaths, ...consolePaths].flatMap((path) =>
      this.api.addRoutes({ path, methods: [HttpMethod.GET], integration }),
    );
    const routes = [
      ...['/', '/{proxy+}'].flatMap((path) =>
        this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration }),
      ),
      ...documents,
    ];
    for (const route of routes) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'The function authorizes each request itself, by tokens or JWTs with scopes on topics, which an ' +
          'authorizer of the API cannot decide. The console, /docs and /openapi.json are meant to be public.',
      });
    }
    if (props.push !== undefined) this.addPush(props.push);
    const log = new LogGroup(this, 'AccessLog', {
      retention: props.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: {
        rateLimit: props.requestsPerSecond,
        burstLimit: props.requestsPerSecond,
      },
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        format: AccessLogFormat.custom(JSON.stringify(accessLog)),
      },
    });
    throttleDocuments(stage, documents);
  }

  /** Answers of 5xx by the minute: of the functions, or because there was none to ask. AWS counts them by itself. */
  failedRequests(): Metric {
    return this.api.metricServerError({ period: Duration.minutes(1), statistic: 'Sum' });
  }

  /** One path of the ingest function: batches are posted to another, which no route of this API leads to. */
  private addPush(ingest: IngestFunction): void {
    const integration = new HttpLambdaIntegration('Push', ingest.function, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    const methods = [HttpMethod.GET, HttpMethod.POST];
    for (const route of this.api.addRoutes({ path: oneNetPushPath, methods, integration })) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'The platform signs each request with a token, in a way that an authorizer of the API cannot check.',
      });
    }
  }
}

/** The construct for stages has no settings of single routes. */
function throttleDocuments(stage: HttpStage, routes: readonly HttpRoute[]): void {
  const child = stage.node.defaultChild as CfnStage;
  child.routeSettings = Object.fromEntries(
    routes.map(({ path }) => [
      `GET ${path}`,
      { ThrottlingRateLimit: documentsPerSecond, ThrottlingBurstLimit: documentsAtOnce },
    ]),
  );
  // CloudFormation knows no reference from the name of a route to the route.
  child.node.addDependency(...routes);
}
