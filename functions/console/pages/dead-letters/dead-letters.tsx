// Dead letters: filtered by topic, route and reason; replayed one by one, or all that match.
import { useState } from 'preact/hooks';
import { filterFault } from '../../../contract/topic.ts';
import { Card, Empty, Time } from '../../components/basics.tsx';
import { counted, sumOf } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { TopicInput } from '../../components/topic-input.tsx';
import { change, place } from '../../state/address.ts';
import { isAdmin } from '../../state/me.ts';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { deadLetters } from '../../state/shared.ts';
import { useStore } from '../../state/store.ts';
import { BulkReplay } from './bulk-replay.tsx';
import { ReasonChips } from './chips.tsx';
import { matching, type Selected } from './groups.ts';
import { Letters, Selection } from './letters.tsx';
import { DeadLetterPanel } from './panel.tsx';

const everyMs = 15_000;
/** Dead letters in the list; the counts are of all. */
const limit = '200';

export function DeadLetters() {
  const { chosen, settings } = useStore(place);
  const { filter = '#', route, reason } = settings;
  const [text, setText] = useState(filter);
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
      <DeadLettersOf
        key={JSON.stringify([filter, route, reason])}
        of={{ filter, route, reason }}
        chosen={chosen}
      />
    </div>
  );
}

function DeadLettersOf({
  of: { filter, route, reason },
  chosen,
}: {
  readonly of: Selected;
  readonly chosen: string | undefined;
}) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const counts = useOwnResource(
    filter,
    (signal) => client.get('/v1/dead-letters/summary', { query: { filter }, signal }),
    everyMs,
  );
  const list = useOwnResource(
    JSON.stringify([filter, route, reason]),
    (signal) => client.get('/v1/dead-letters', { query: { filter, route, reason, limit }, signal }),
    everyMs,
  );
  const changed = async () => {
    await Promise.all([list.reload(), counts.reload(), deadLetters.reload()]);
  };
  return (
    <Gate shown={counts.shown}>
      {({ groups, readUntil }) => {
        if (groups.length === 0 && filter === '#') return <NoDeadLetters />;
        const total = sumOf(matching(groups, { route, reason }));
        return (
          <>
            <ReasonChips of={groups} route={route} reason={reason} />
            <div class={`split ${chosen === undefined ? '' : 'open'}`}>
              <Card
                title={counted(total, 'dead letter')}
                aside={
                  <>
                    {readUntil !== undefined && (
                      <span class="dim small">
                        since <Time at={readUntil} />; older ones are not counted
                      </span>
                    )}
                    {isAdmin() && total > 0 && (
                      <BulkReplay of={{ filter, route, reason }} onDone={changed} />
                    )}
                  </>
                }
              >
                {selected.size > 0 && (
                  <Selection
                    ids={[...selected]}
                    onDone={async () => {
                      setSelected(new Set());
                      await changed();
                    }}
                  />
                )}
                <Gate shown={list.shown}>
                  {({ deadLetters: letters, nextCursor }) => (
                    <Letters
                      list={letters}
                      isCut={nextCursor !== undefined}
                      chosen={chosen}
                      selected={selected}
                      onSelect={(id, isOn) => {
                        const next = new Set(selected);
                        if (isOn) next.add(id);
                        else next.delete(id);
                        setSelected(next);
                      }}
                    />
                  )}
                </Gate>
              </Card>
              {chosen !== undefined && (
                <DeadLetterPanel key={chosen} id={chosen} onGone={changed} />
              )}
            </div>
          </>
        );
      }}
    </Gate>
  );
}

function NoDeadLetters() {
  return (
    <div class="card">
      <Empty icon="check" title="No dead letters">
        <p>
          Every message was taken by its handler. One that a healthy handler keeps refusing would be
          kept here, with its reason and its exact bytes, until somebody replays or deletes it.
        </p>
      </Empty>
    </div>
  );
}
