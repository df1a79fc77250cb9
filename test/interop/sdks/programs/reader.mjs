// Reads the requests of a file with CloudEvents and Standard Webhooks for JavaScript, and prints what became of each.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';

function outcome({ format, headers, body: base64, json, payload }) {
  const body = Buffer.from(base64, 'base64');
  if (format === 'raw') {
    new Webhook(process.env.SECRET).verify(body, headers);
    return 'yes';
  }
  // A Buffer is not parsed as JSON, and a string is not bytes.
  const given = isUtf8(body) ? body.toString() : body;
  const event = [HTTP.toEvent({ headers, body: given })].flat()[0];
  if (json !== undefined) return isDeepStrictEqual(event.data, json) ? 'yes' : 'other data';
  const data = event.data_base64 ?? Buffer.from(String(event.data ?? '')).toString('base64');
  return data === payload ? 'yes' : 'other data';
}

const outcomes = {};
for (const request of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  try {
    outcomes[request.name] = outcome(request);
  } catch {
    outcomes[request.name] = 'no';
  }
}
console.log(JSON.stringify(outcomes));
