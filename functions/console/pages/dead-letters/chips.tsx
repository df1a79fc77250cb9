// Routes and reasons of dead letters with their counts: pressed, they choose.
import type { DeadLetterCounts } from '../../client/operations.ts';
import { Chip } from '../../components/basics.tsx';
import { count } from '../../components/format.ts';
import { change } from '../../state/address.ts';
import { countsOf, matching } from './groups.ts';

const maxReasons = 12;

export function ReasonChips({
  of: groups,
  route,
  reason,
}: {
  readonly of: DeadLetterCounts['groups'];
  readonly route: string | undefined;
  readonly reason: string | undefined;
}) {
  const toggled = (name: 'route' | 'reason', value: string, now: string | undefined) =>
    change({ [name]: value === now ? undefined : value });
  return (
    <div class="chips">
      {countsOf(matching(groups, { route: undefined, reason }), 'route').map(([name, letters]) => (
        <Chip key={name} isOn={name === route} onToggle={() => toggled('route', name, route)}>
          {name} <b>{count(letters)}</b>
        </Chip>
      ))}
      {countsOf(matching(groups, { route, reason: undefined }), 'reason')
        .slice(0, maxReasons)
        .map(([text, letters]) => (
          <Chip key={text} isOn={text === reason} onToggle={() => toggled('reason', text, reason)}>
            <span class="truncated">{text}</span> <b>{count(letters)}</b>
          </Chip>
        ))}
    </div>
  );
}
