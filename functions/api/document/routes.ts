// GET /openapi.json and /docs: what the interface is, for everyone, made when it is first asked for.
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import type { Operation } from '../interface/operation.ts';
import { docsContentSecurityPolicy, docsPage } from './docs.ts';
import { openApiDocument } from './openapi.ts';
import type { OpenApiDocument } from './openapi-objects.ts';

/** Version of the interface, not of the program: additions raise the second number. */
const interfaceVersion = '1.0.0';

/** Where the description is, for everyone. */
export const documentPaths = ['/openapi.json', '/docs'] as const;

/** It changes with a deploy alone. */
const cacheControl = 'public, max-age=3600';

/** Serves the description of these operations; `scriptPath` gives the path of the page's script. */
export function documentRoutes(
  operations: readonly Operation[],
  scriptPath: () => Promise<string | undefined> = async () => undefined,
): Hono {
  const app = new Hono();
  let made: OpenApiDocument | undefined;
  let page: Promise<string> | undefined;

  const document = () => {
    made ??= openApiDocument(operations, { version: interfaceVersion });
    return made;
  };

  app.get('/openapi.json', etag(), (context) =>
    context.json(document(), 200, { 'cache-control': cacheControl }),
  );
  app.get('/docs', etag(), async (context) => {
    page ??= scriptPath().then((path) => docsPage(document(), path));
    return context.html(await page, 200, {
      'cache-control': cacheControl,
      'content-security-policy': docsContentSecurityPolicy,
    });
  });
  return app;
}
