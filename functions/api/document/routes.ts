// GET /openapi.json and /docs: what the interface is, for everyone, made when it is first asked for.
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import type { Operation } from '../interface/operation.ts';
import { docsContentSecurityPolicy, docsPage } from './docs.ts';
import { type OpenApiDocument, openApiDocument } from './openapi.ts';

/** Version of the interface, not of the program: additions raise the second number. */
const interfaceVersion = '1.0.0';

/** Serves the description of these operations. */
export function documentRoutes(operations: readonly Operation[]): Hono {
  const app = new Hono();
  let made: OpenApiDocument | undefined;
  let page: Promise<string> | undefined;

  const document = () => {
    made ??= openApiDocument(operations, { version: interfaceVersion });
    return made;
  };

  app.get('/openapi.json', etag(), (context) =>
    context.json(document(), 200, { 'cache-control': 'public, max-age=300' }),
  );
  app.get('/docs', etag(), async (context) => {
    page ??= docsPage(document());
    return context.html(await page, 200, {
      'cache-control': 'public, max-age=300',
      'content-security-policy': docsContentSecurityPolicy,
    });
  });
  return app;
}
