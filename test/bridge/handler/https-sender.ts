// A process of its own, as whom Node trusts is said when it starts: sends a message to each URL of its arguments, whose
// names all lead to this machine, and prints what became of it.
import { parseConfig } from '../../../bridge/config/config.ts';
import { createSink } from '../../../bridge/handler/sink.ts';
import { message } from '../../support/messages.ts';

for (const url of process.argv.slice(2)) {
  const config = parseConfig({
    broker: { url: 'mqtt://127.0.0.1' },
    routes: [{ name: 'hook', filter: '#', url, format: 'raw', allowPrivate: true }],
  });
  const [route] = config.ok ? config.value.routes : [];
  if (route === undefined) throw new Error(JSON.stringify(config));
  const sink = createSink(route, undefined, (_, __, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }]),
  );
  const built = sink.request([message()]);
  if (built.kind === 'unsendable') throw new Error(built.reason);
  console.log(JSON.stringify(await sink.post(built.request, () => new Set())));
  sink.close();
}
