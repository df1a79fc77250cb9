// What the local stack has besides its config, for tests of the document that it gives the bridge.
import type { LocalWiring } from '../../../infra/local/bridge-document.ts';

export const localWiring = {
  broker: { url: 'mqtt://127.0.0.1' },
  ingestUrl: 'http://127.0.0.1:9000',
  secret: `whsec_${Buffer.alloc(32).toString('base64')}`,
  bridgeToken: 'a-token-of-the-bridge',
  tableName: 'messages',
  folder: '/nowhere',
} satisfies Partial<LocalWiring>;
