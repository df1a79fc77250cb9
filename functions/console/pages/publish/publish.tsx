// Messages to devices: the form, what became of the last one, and those of before.
import { useState } from 'preact/hooks';
import { Card } from '../../components/basics.tsx';
import { Gate } from '../../components/gate.tsx';
import { State } from '../../components/state.tsx';
import { change, place } from '../../state/address.ts';
import { createResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { CommandView, isEnded } from './command-view.tsx';
import { type Draft, draftFrom } from './draft.ts';
import { PublishForm } from './form.tsx';
import { PastCommands } from './past-commands.tsx';

const everyMs = 1_000;

export function Publish() {
  const { chosen, settings } = useStore(place);
  const [draft, setDraft] = useState<Draft>(() => draftFrom(settings));
  const [sent, setSent] = useState<string>();
  return (
    <div class="page">
      <div class="head">
        <h1>Publish</h1>
      </div>
      <div class="two-columns">
        <PublishForm
          draft={draft}
          onChange={setDraft}
          onSent={(id) => {
            setSent(id);
            change({}, id);
          }}
        />
        <div class="stack">
          {chosen !== undefined && <ChosenCommand key={chosen} id={chosen} />}
          <PastCommands
            topic={draft.topic}
            chosen={chosen}
            newest={sent}
            onChoose={(id) => change({}, id)}
          />
        </div>
      </div>
    </div>
  );
}

function ChosenCommand({ id }: { readonly id: string }) {
  const [resource] = useState(() =>
    createResource(
      (signal) => client.get('/v1/commands/{id}', { params: { id }, signal }),
      everyMs,
      isEnded,
    ),
  );
  const shown = useStore(resource);
  return (
    <Card
      title="What became of it"
      aside={shown.value !== undefined && <State name={shown.value.status} />}
    >
      <div class="body">
        <Gate shown={shown}>{(command) => <CommandView command={command} />}</Gate>
      </div>
    </Card>
  );
}
