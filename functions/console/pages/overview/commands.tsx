// Commands that somebody should look at: those that failed or expired, the newest first.
import { Card, Time, Topic } from '../../components/basics.tsx';
import { State } from '../../components/state.tsx';
import { linkTo } from '../../state/address.ts';
import { troubledCommands } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';
import { whyOf } from '../publish/past-commands.tsx';

const maxShown = 5;

export function CommandsToLookAt() {
  const commands = useStore(troubledCommands).value?.commands.slice(0, maxShown) ?? [];
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
