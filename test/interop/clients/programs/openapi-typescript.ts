// Publishes and queries with openapi-fetch and the types that openapi-typescript has made of /openapi.json. It is checked
// and run in a folder of its own, which has both.
// @ts-nocheck: here it has neither; the test takes this line out.
import createClient from 'openapi-fetch';
import type { paths } from './causeway.d.ts';

const topic = process.env['TOPIC'] ?? '';
const client = createClient<paths>({
  baseUrl: process.env['API_URL'] ?? '',
  headers: { authorization: `Bearer ${process.env['API_TOKEN']}` },
});
const published = await client.POST('/v1/publish', {
  body: { topic, payload: { celsius: 21.5 }, userProperties: [['unit', 'celsius']] },
});
if (published.data === undefined) throw new Error(JSON.stringify(published.error));
for (let tries = 0; tries < 100; tries++) {
  const { data, error } = await client.GET('/v1/messages', { params: { query: { topic } } });
  if (data === undefined) throw new Error(JSON.stringify(error));
  // The other media types of this answer are a list of CloudEvents, and lines of an export.
  const message = typeof data === 'object' && 'messages' in data ? data.messages[0] : undefined;
  if (message !== undefined) {
    const { status, qos } = published.data;
    console.log(JSON.stringify({ status, qos, topic: message.topic, payload: message.payload }));
    process.exit(0);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
throw new Error('the message was not stored');
