// A new token: its name, what it may do in plain words, when it ends; shown once.
import { useState } from 'preact/hooks';
import { filterFault, matchesFilter } from '../../../contract/topic.ts';
import type { Failure } from '../../client/client.ts';
import { Button, CodeBox, Note, Segments } from '../../components/basics.tsx';
import { FailureNote } from '../../components/gate.tsx';
import { Panel } from '../../components/overlays.tsx';
import { TopicInput } from '../../components/topic-input.tsx';
import { client } from '../../state/session.ts';

const rights = ['read', 'publish', 'delete', 'admin'] as const;
type Right = (typeof rights)[number];

const words: Readonly<Record<Right, string>> = {
  read: 'see messages, commands and dead letters of these topics',
  publish: 'send messages to devices on these topics',
  delete: 'delete what is retained there, and delete or replay dead letters',
  admin: 'do everything, also with routes, replays and tokens',
};

const ends = [
  { value: 'never', text: 'never' },
  { value: '30', text: '30 days' },
  { value: '90', text: '90 days' },
  { value: '365', text: 'a year' },
] as const;
type Ends = (typeof ends)[number]['value'];

export function NewTokenPanel({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: () => void;
}) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly string[]>([]);
  const [end, setEnd] = useState<Ends>('never');
  const [failure, setFailure] = useState<Failure>();
  const [made, setMade] = useState<string>();
  const make = async (event: Event) => {
    event.preventDefault();
    const expiresAt = new Date(Date.now() + Number(end) * 86_400_000);
    const body = {
      name,
      scopes: [...scopes],
      ...(end !== 'never' && { expiresAt: expiresAt.toISOString() }),
    };
    const result = await client.post('/v1/tokens', { body });
    setFailure(result.ok ? undefined : result.failure);
    if (!result.ok) return;
    setMade(result.value.token);
    onMade();
  };
  return (
    <Panel label="New token" title="New token" onClose={onClose}>
      {made !== undefined ? (
        <>
          <Note tone="ok" title={`${name} is made.`}>
            <p>Copy it now: it is kept nowhere, and not shown again.</p>
          </Note>
          <CodeBox text={made} />
        </>
      ) : (
        <form class="stack" onSubmit={make}>
          <label class="field">
            <span class="field-label">Name</span>
            <input
              class="input"
              autocomplete="off"
              placeholder="dashboard"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <span class="field-hint">For those who read the list.</span>
          </label>
          <Scopes scopes={scopes} onChange={setScopes} />
          <div class="field">
            <span class="field-label">Ends after</span>
            <Segments label="Ends after" value={end} choices={ends} onChoose={setEnd} />
          </div>
          {failure !== undefined && <FailureNote failure={failure} />}
          <div class="row">
            <Button
              look="primary"
              type="submit"
              icon="tokens"
              disabled={name === '' || scopes.length === 0}
            >
              Make it
            </Button>
          </div>
          {scopes.length > 0 && <TryIt scopes={scopes} />}
        </form>
      )}
    </Panel>
  );
}

function Scopes({
  scopes,
  onChange,
}: {
  readonly scopes: readonly string[];
  readonly onChange: (scopes: readonly string[]) => void;
}) {
  const [right, setRight] = useState<Right>('read');
  const [filter, setFilter] = useState('#');
  const fault = filterFault(filter);
  const scope = right === 'admin' ? 'admin' : `${right}:${filter}`;
  return (
    <div class="field">
      <span class="field-label">It may</span>
      <ul class="stack small-gap">
        {scopes.map((one) => (
          <li key={one} class="row">
            <code class="tag mono long">{one}</code>
            <Button
              look="ghost icon-only small end"
              icon="close"
              aria-label={`Take ${one} away`}
              onClick={() => onChange(scopes.filter((other) => other !== one))}
            />
          </li>
        ))}
      </ul>
      <Segments
        label="Right"
        value={right}
        choices={rights.map((value) => ({ value, text: value }))}
        onChoose={setRight}
      />
      <span class="field-hint">{words[right]}</span>
      <div class="row">
        {right !== 'admin' && (
          <TopicInput
            value={filter}
            label="Topic filter of the right"
            takesWildcards
            isFaulty={fault !== undefined}
            onInput={setFilter}
          />
        )}
        <Button
          icon="plus"
          disabled={scopes.includes(scope) || (right !== 'admin' && fault !== undefined)}
          onClick={() => onChange([...scopes, scope])}
        >
          Add
        </Button>
      </div>
      {fault !== undefined && right !== 'admin' && <p class="field-fault">The filter {fault}</p>}
    </div>
  );
}

/** Says whether a topic is covered, and by which scope. */
function TryIt({ scopes }: { readonly scopes: readonly string[] }) {
  const [topic, setTopic] = useState('');
  const covering = (right: Right) =>
    scopes.find((scope) => {
      const [kind, ...filter] = scope.split(':');
      return scope === 'admin' || (kind === right && matchesFilter(filter.join(':'), topic));
    });
  return (
    <div class="field">
      <span class="field-label">Try it on a topic</span>
      <TopicInput value={topic} label="Topic to try" onInput={setTopic} />
      {topic !== '' && (
        <ul class="stack small-gap">
          {(['read', 'publish', 'delete'] as const).map((right) => {
            const by = covering(right);
            return (
              <li key={right} class={by === undefined ? 'tone-quiet' : 'tone-ok'}>
                {by === undefined ? `may not ${right}` : `may ${right}, by ${by}`}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
