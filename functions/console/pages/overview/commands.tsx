// Commands that somebody should look at: those that failed or expired, the newest first.
import { Card, Time, Topic } from '../../components/basics.tsx';
import { State } from '../../components/state.tsx';
import { linkTo } from '../../state/address.ts';
import { createResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { whyOf } from '../publish/past-commands.tsx';

const maxShown = 5;
const everyMs = 30_000;

const listOf = (status: 'failed' | 'expired') =>
  createResource(
    (signal) => client.get('/v1/commands', { query: { status, limit: String(maxShown) }, signal }),
    everyMs,
  );
const failed = listOf('failed');
const expired = listOf('expired');

export function CommandsToLookAt() {
  const commands = [failed, expired]
    .flatMap((resource) => useStore(resource).value?.commands ?? [])
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    .slice(0, maxShown);
  if (commands.length === 0) return null;
  return (
    <Card title="Commands that need a look" aside={<a href={linkTo('publish')}>All</a>}>
      <ul class="list">
        {commands.map((command) => (
          <li key={command.id}>
            <State name={command.status}>
              <span class="only-read">{command.status}</span>
            </State>
            <div class="grow">
              <a href={linkTo('publish', command.id)}>
                <Topic name={command.topic} />
              </a>
              <div class="dim small">{whyOf(command)}</div>
            </div>
            <span class="list-when">
              <Time at={command.createdAt} as="brief" />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
