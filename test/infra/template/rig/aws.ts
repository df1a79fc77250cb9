// The AWS services that programs call: DynamoDB, passed on to a local one, and Secrets Manager. Both ask who calls.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Access } from './access.ts';
import { bodyOf, listenLocally } from './http.ts';
import { arn, arnOfSecret } from './identities.ts';

export interface AwsOptions {
  readonly access: Access;
  /** Endpoint of a local DynamoDB. */
  readonly dynamoDbUrl: string;
  /** Values by ARN. */
  readonly secrets: ReadonlyMap<string, string>;
}

export interface AwsEndpoint {
  readonly url: string;
  close(): void;
}

/** What a local DynamoDB takes for a signature. */
const localSignature =
  'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0';

export async function startAws({ access, dynamoDbUrl, secrets }: AwsOptions): Promise<AwsEndpoint> {
  const server: Server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const { method = '', url = '', headers } = request;
    const [target = '', operation = ''] = String(headers['x-amz-target']).split('.');
    const service = { DynamoDB_20120810: 'dynamodb', secretsmanager: 'secretsmanager' }[target];
    if (service === undefined) return fail(response, 400, `UnknownService ${target}`);
    const caller = access.callerOf({ method, target: url, headers, body }, service);
    if (caller === undefined) return fail(response, 403, 'InvalidSignatureException');
    const input = JSON.parse(body.toString());
    const action = `${service}:${operation}`;
    const resources =
      service === 'dynamodb'
        ? tablesOf(input).map((table) => arn('dynamodb', `table/${table}`))
        : [arnOfSecret(input.SecretId)];
    const uses = resources.map((resource) => access.use(caller, { action, resource }));
    if (uses.length === 0 || !uses.every(Boolean))
      return fail(response, 400, 'AccessDeniedException', `${caller} may not ${action}`);
    if (service === 'dynamodb') return pass(response, String(headers['x-amz-target']), body);
    const [id = ''] = resources;
    const value = secrets.get(id);
    if (operation !== 'GetSecretValue' || value === undefined)
      return fail(response, 400, 'ResourceNotFoundException');
    const answer = { ARN: id, Name: input.SecretId, VersionId: 'v1', SecretString: value };
    send(response, 200, JSON.stringify(answer));
  });

  async function pass(response: ServerResponse, target: string, body: Buffer): Promise<void> {
    const answer = await fetch(dynamoDbUrl, {
      method: 'POST',
      headers: {
        authorization: localSignature,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-date': '20260101T000000Z',
        'x-amz-target': target,
      },
      body,
    });
    send(response, answer.status, await answer.text());
  }

  return {
    url: await listenLocally(server),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The tables that a request names. */
function tablesOf(input: { TableName?: string; RequestItems?: object }): string[] {
  return input.TableName === undefined ? Object.keys(input.RequestItems ?? {}) : [input.TableName];
}

function fail(response: ServerResponse, status: number, code: string, message = code): void {
  send(response, status, JSON.stringify({ __type: code, message }));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
}
