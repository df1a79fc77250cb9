// Clients of the broker: those that come and go first, then those that are away.
import { useState } from 'preact/hooks';
import type { Client } from '../../client/operations.ts';
import { Card, Empty, Segments, Time } from '../../components/basics.tsx';
import { count, counted } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { State } from '../../components/state.tsx';
import { change, place } from '../../state/address.ts';
import { presence } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';
import { stateOf } from './client-state.ts';
import { ClientPanel } from './panel.tsx';

const kinds = ['all', 'flapping', 'offline', 'online'] as const;
type Kind = (typeof kinds)[number];

const maxDrawn = 300;
const rankOf = ({ flapping, status }: Client) => (flapping ? 0 : status === 'offline' ? 1 : 2);

export function Clients() {
  const shown = useStore(presence);
  const { chosen, settings } = useStore(place);
  const kind = kinds.find((one) => one === settings['kind']) ?? 'all';
  const [text, setText] = useState('');
  return (
    <div class="page">
      <div class="head">
        <h1>Clients</h1>
        <input
          class="input grow narrow-input"
          data-main
          aria-label="Client id"
          placeholder="Part of a client id"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <Gate shown={shown}>
        {({ clients, isComplete }) => {
          const counts: Record<Kind, number> = {
            all: clients.length,
            flapping: 0,
            offline: 0,
            online: 0,
          };
          for (const client of clients) counts[stateOf(client)]++;
          const list = clients
            .filter((client) => kind === 'all' || stateOf(client) === kind)
            .filter(({ clientId }) => clientId.toLowerCase().includes(text.trim().toLowerCase()))
            .sort((a, b) => rankOf(a) - rankOf(b) || (a.clientId < b.clientId ? -1 : 1));
          return (
            <>
              <div class="row wrap">
                <Segments
                  label="Which"
                  value={kind}
                  choices={kinds.map((value) => ({
                    value,
                    text: `${value} ${count(counts[value])}`,
                  }))}
                  onChoose={(value) => change({ kind: value })}
                />
              </div>
              <div class={`split ${chosen === undefined ? '' : 'open'}`}>
                <Card
                  title={counted(list.length, 'client')}
                  aside={!isComplete && <span class="dim small">of the first 1,000 by id</span>}
                >
                  {list.length === 0 ? (
                    <NoClients hasSome={clients.length > 0} />
                  ) : (
                    <Table list={list} chosen={chosen} />
                  )}
                </Card>
                {chosen !== undefined && (
                  <ClientPanel
                    key={chosen}
                    clientId={chosen}
                    client={clients.find(({ clientId }) => clientId === chosen)}
                  />
                )}
              </div>
            </>
          );
        }}
      </Gate>
    </div>
  );
}

function NoClients({ hasSome }: { readonly hasSome: boolean }) {
  return hasSome ? (
    <Empty icon="search" title="None is like that" />
  ) : (
    <Empty icon="clients" title="No client is known">
      <p>
        The broker has told of none. Which brokers tell, and how devices say it by a last will,
        stands in the documents of presence.
      </p>
    </Empty>
  );
}

function Table({
  list,
  chosen,
}: {
  readonly list: readonly Client[];
  readonly chosen: string | undefined;
}) {
  return (
    <>
      <table class="fixed">
        <thead>
          <tr>
            <th>Client</th>
            <th class="column-state">State</th>
            <th class="not-narrow">Why the last connection ended</th>
            <th class="number column-when">Since</th>
          </tr>
        </thead>
        <tbody>
          {list.slice(0, maxDrawn).map((client) => (
            <tr
              key={client.clientId}
              class={`opens ${client.clientId === chosen ? 'selected' : ''}`}
              onClick={() => change({}, client.clientId)}
            >
              <td class="cut">
                <button type="button" class="row-link mono truncated" data-row>
                  {client.clientId}
                </button>
              </td>
              <td>
                <State name={stateOf(client)} />
              </td>
              <td class="cut not-narrow dim">{client.reason}</td>
              <td class="number dim">
                <Time at={client.since} as="brief" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.length > maxDrawn && (
        <footer>The first {maxDrawn} are shown: type a part of an id to narrow them.</footer>
      )}
    </>
  );
}
