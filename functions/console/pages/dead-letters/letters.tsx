// Dead letters as rows, and what can be done with the chosen ones.
import { useState } from 'preact/hooks';
import type { DeadLetter } from '../../client/operations.ts';
import { Button, Empty, Time, Topic } from '../../components/basics.tsx';
import { counted, size } from '../../components/format.ts';
import { change } from '../../state/address.ts';
import { client } from '../../state/session.ts';
import { say } from '../../state/toast.ts';

export function Letters({
  list,
  isCut,
  chosen,
  selected,
  onSelect,
}: {
  readonly list: readonly DeadLetter[];
  /** Whether there are more. */
  readonly isCut: boolean;
  readonly chosen: string | undefined;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (id: string, isOn: boolean) => void;
}) {
  return (
    <>
      <table class="fixed">
        <thead>
          <tr>
            <th class="column-check">
              <span class="only-read">Chosen</span>
            </th>
            <th>Message</th>
            <th class="not-narrow">Route and reason</th>
            <th class="number column-size wide-only">Size</th>
            <th class="number column-when">Since</th>
          </tr>
        </thead>
        <tbody>
          {list.map((letter) => (
            <tr
              key={letter.id}
              class={`opens ${letter.id === chosen ? 'selected' : ''}`}
              onClick={({ target }) => {
                if (!(target instanceof HTMLInputElement)) change({}, letter.id);
              }}
            >
              <td>
                <input
                  type="checkbox"
                  class="checkbox"
                  aria-label={`Choose ${letter.topic}`}
                  checked={selected.has(letter.id)}
                  onChange={(event) => onSelect(letter.id, event.currentTarget.checked)}
                />
              </td>
              <td class="cut">
                <button type="button" class="row-link" data-row>
                  <Topic name={letter.topic} />
                </button>
                <div class="sub truncated only-narrow">{letter.reason}</div>
              </td>
              <td class="cut not-narrow">
                {letter.reason}
                <div class="sub">
                  {letter.route}, tried {counted(letter.attempts, 'time')}
                </div>
              </td>
              <td class="number wide-only">{size(letter.bytes)}</td>
              <td class="number dim">
                <Time at={letter.quarantinedAt} as="brief" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {isCut && list.length > 0 && (
        <footer>The newest {list.length} are shown: narrow them by topic, route or reason.</footer>
      )}
      {list.length === 0 && (
        <Empty icon="search" title="None matches">
          <Button
            onClick={() => change({ filter: undefined, route: undefined, reason: undefined })}
          >
            Show all
          </Button>
        </Empty>
      )}
    </>
  );
}

/** The chosen ones, one after the other. */
export function Selection({
  ids,
  onDone,
}: {
  readonly ids: readonly string[];
  readonly onDone: () => void;
}) {
  const [done, setDone] = useState<number>();
  const replay = async () => {
    let delivered = 0;
    for (const [index, id] of ids.entries()) {
      setDone(index);
      const result = await client.post('/v1/dead-letters/{id}/replay', { params: { id } });
      if (result.ok) delivered++;
    }
    setDone(undefined);
    say(
      `${delivered} of ${ids.length} delivered${delivered < ids.length ? '; the others stay' : ''}`,
    );
    onDone();
  };
  return (
    <div class="selection">
      <b>{counted(ids.length, 'dead letter')} chosen</b>
      <Button look="small" icon="retry" disabled={done !== undefined} onClick={replay}>
        {done === undefined ? 'Replay them' : `${done} of ${ids.length} …`}
      </Button>
      <Button look="small ghost" onClick={onDone}>
        Choose none
      </Button>
    </div>
  );
}
