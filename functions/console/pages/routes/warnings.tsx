// What somebody should know of a route that delivers: its sessions, and a topic that everything waits behind.
import type { Route } from '../../client/operations.ts';
import { Note } from '../../components/basics.tsx';
import { counted, size } from '../../components/format.ts';

export function RouteWarnings({ route: { warnings = [], noisyTopic } }: { readonly route: Route }) {
  return (
    <>
      {warnings.map((line) => (
        <Note key={line} tone="warn" title={line} />
      ))}
      {noisyTopic !== undefined && (
        <Note tone="warn" title={`All of the route waits behind ${noisyTopic.topic}`}>
          <p>
            It holds half of what the bridge may take at once:{' '}
            {counted(noisyTopic.messages, 'message')}, {size(noisyTopic.bytes)}. MQTT acknowledges
            in order. A route of its own for this topic cures that.
          </p>
        </Note>
      )}
    </>
  );
}
