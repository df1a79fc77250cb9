// URLs of Lambda's API that invoke a function (Lambda API Reference, "Invoke"), which a handler can have.

const path = /^\/2015-03-31\/functions\/[^/]+\/invocations$/;

/** Whether a URL invokes a function, at AWS or at what stands for it, such as Lambda's Runtime Interface Emulator. */
export function isInvocation({ pathname }: URL): boolean {
  return path.test(pathname);
}

/** The URL that invokes a function; its ARN says where. Endpoints in China have a domain of their own. */
export function invocationUrl(functionArn: string): string {
  const [, partition, , region] = functionArn.split(':');
  const domain = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://lambda.${region}.${domain}/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`;
}
