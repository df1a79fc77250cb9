// The public interface: an HTTP API in front of the api function, with throttling and an access log.
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { oneNetPushPath } from '../../functions/ingest/push/app.ts';
import type { ApiFunction, IngestFunction } from './functions.ts';

export interface PublicInterfaceProps {
  readonly api: ApiFunction;
  /** Gets what platforms push; absent where none may. */
  readonly push?: IngestFunction | undefined;
  /** Most requests a second over all callers; twice that for a moment. */
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
    const routes = ['/', '/{proxy+}'].flatMap((path) =>
      this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration }),
    );
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
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: {
        rateLimit: props.requestsPerSecond,
        burstLimit: 2 * props.requestsPerSecond,
      },
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        format: AccessLogFormat.custom(JSON.stringify(accessLog)),
      },
    });
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
