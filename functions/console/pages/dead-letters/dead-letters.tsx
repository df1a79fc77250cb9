// Dead letters: filtered by topic, route and reason; replayed one by one, or all that match.
import { useState } from 'preact/hooks';
import { filterFault, matchesFilter } from '../../../contract/topic.ts';
import type { DeadLetter } from '../../client/operations.ts';
import { Card, Chip, Empty } from '../../components/basics.tsx';
import { count, counted } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { TopicInput } from '../../components/topic-input.tsx';
import { change, place } from '../../state/address.ts';
import { isAdmin } from '../../state/me.ts';
import { deadLetters } from '../../state/shared.ts';
import { useStore } from '../../state/store.ts';
import { BulkReplay } from './bulk-replay.tsx';
import { Letters, Selection } from './letters.tsx';
import { DeadLetterPanel } from './panel.tsx';

export function DeadLetters() {
  const shown = useStore(deadLetters);
  const { chosen, settings } = useStore(place);
  const { filter = '#', route, reason } = settings;
  const [text, setText] = useState(filter);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const fault = filterFault(text);
  return (
    <div class="page">
      <div class="head">
        <h1>Dead letters</h1>
        <TopicInput
          value={text}
          label="Topic filter"
          takesWildcards
          isMain
          isFaulty={fault !== undefined}
          onInput={(value) => {
            setText(value);
            if (filterFault(value) === undefined) change({ filter: value });
          }}
        />
      </div>
      {fault !== undefined && <p class="field-fault">The filter {fault}</p>}
      <Gate shown={shown}>
        {({ deadLetters: all, nextCursor }) => {
          const inFilter = all.filter(({ topic }) => matchesFilter(filter, topic));
          const list = inFilter.filter(
            (one) =>
              (route === undefined || one.route === route) &&
              (reason === undefined || one.reason === reason),
          );
          if (all.length === 0)
            return (
              <div class="card">
                <Empty icon="check" title="No dead letters">
                  <p>
                    Every message was taken by its handler. One that a healthy handler keeps
                    refusing would be kept here, with its reason and its exact bytes, until somebody
                    replays or deletes it.
                  </p>
                </Empty>
              </div>
            );
          return (
            <>
              <Chips of={inFilter} route={route} reason={reason} />
              <div class={`split ${chosen === undefined ? '' : 'open'}`}>
                <Card
                  title={counted(list.length, 'dead letter')}
                  aside={
                    <>
                      {nextCursor !== undefined && (
                        <span class="dim small">of the newest {count(all.length)}</span>
                      )}
                      {isAdmin() && list.length > 0 && (
                        <BulkReplay key={`${filter} ${route}`} filter={filter} route={route} />
                      )}
                    </>
                  }
                >
                  {selected.size > 0 && (
                    <Selection ids={[...selected]} onDone={() => setSelected(new Set())} />
                  )}
                  <Letters
                    list={list}
                    chosen={chosen}
                    selected={selected}
                    onSelect={(id, isOn) => {
                      const next = new Set(selected);
                      if (isOn) next.add(id);
                      else next.delete(id);
                      setSelected(next);
                    }}
                  />
                </Card>
                {chosen !== undefined && <DeadLetterPanel key={chosen} id={chosen} />}
              </div>
            </>
          );
        }}
      </Gate>
    </div>
  );
}

/** Routes and reasons with their counts. */
function Chips({
  of: letters,
  route,
  reason,
}: {
  readonly of: readonly DeadLetter[];
  readonly route: string | undefined;
  readonly reason: string | undefined;
}) {
  const counts = (of: (letter: DeadLetter) => string) => {
    const found = new Map<string, number>();
    for (const letter of letters) found.set(of(letter), (found.get(of(letter)) ?? 0) + 1);
    return [...found].sort(([, a], [, b]) => b - a);
  };
  const toggled = (name: string, value: string, now: string | undefined) =>
    change({ [name]: value === now ? undefined : value });
  return (
    <div class="chips">
      {counts((letter) => letter.route).map(([name, letters]) => (
        <Chip key={name} isOn={name === route} onToggle={() => toggled('route', name, route)}>
          {name} <b>{count(letters)}</b>
        </Chip>
      ))}
      {counts((letter) => letter.reason)
        .slice(0, 12)
        .map(([text, letters]) => (
          <Chip key={text} isOn={text === reason} onToggle={() => toggled('reason', text, reason)}>
            <span class="truncated">{text}</span> <b>{count(letters)}</b>
          </Chip>
        ))}
    </div>
  );
}
