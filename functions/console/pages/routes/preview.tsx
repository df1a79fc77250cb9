// `where` and `transform` tried on stored messages: what passes, and what the handler would get. Nothing is sent.
import { useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import type { Preview, Route } from '../../client/operations.ts';
import { Button, Card, CopyButton, Time, Topic } from '../../components/basics.tsx';
import { count } from '../../components/format.ts';
import { FailureNote } from '../../components/gate.tsx';
import { PayloadLine } from '../../components/payload.tsx';
import { TextField } from '../../components/text-field.tsx';
import { client } from '../../state/session.ts';

const messagesRead = 1000;

export function PreviewCard({ route: { name } }: { readonly route: Route }) {
  const [where, setWhere] = useState('');
  const [transform, setTransform] = useState('');
  const [isRunning, setRunning] = useState(false);
  const [preview, setPreview] = useState<Preview>();
  const [failure, setFailure] = useState<Failure>();
  const run = async (event: Event) => {
    event.preventDefault();
    setRunning(true);
    const body = {
      maxMessages: messagesRead,
      ...(where !== '' && { where }),
      ...(transform !== '' && { transform }),
    };
    const result = await client.post('/v1/routes/{name}/preview', { params: { name }, body });
    setRunning(false);
    setFailure(result.ok ? undefined : result.failure);
    if (result.ok) setPreview(result.value);
  };
  return (
    <Card
      title="Filter and transform: try it"
      aside={
        <span class="dim small not-narrow">on stored messages; nothing is sent or changed</span>
      }
    >
      <form class="body stack" onSubmit={run}>
        <div class="pair">
          <TextField
            label="Which messages (where)"
            placeholder="payload.celsius > 21"
            value={where}
            onInput={setWhere}
          />
          <TextField
            label="What is sent (transform)"
            placeholder={'{"text": topic & ": " & payload.celsius}'}
            value={transform}
            onInput={setTransform}
          />
        </div>
        <div class="row wrap">
          <Button look="primary" icon="play" type="submit" disabled={isRunning}>
            {isRunning ? 'Trying …' : 'Try it'}
          </Button>
          {where + transform !== '' && (
            <CopyButton
              text={configText(where, transform)}
              said="Copied, as it stands in causeway.config.ts"
            />
          )}
          {preview !== undefined && <Counts of={preview} />}
        </div>
        {failure !== undefined && <FailureNote failure={failure} />}
      </form>
      {preview !== undefined && <Results of={preview} />}
    </Card>
  );
}

const configText = (where: string, transform: string) =>
  [
    ...(where === '' ? [] : [`where: ${JSON.stringify(where)},`]),
    ...(transform === '' ? [] : [`transform: ${JSON.stringify(transform)},`]),
  ].join('\n');

function Counts({ of: { read, passed, failed, isComplete } }: { readonly of: Preview }) {
  return (
    <span class="row wrap small">
      <span class={`tag ${passed > 0 ? 'ok' : ''}`}>
        {count(passed)} of {count(read)} pass
      </span>
      {failed > 0 && <span class="tag bad">{count(failed)} fail: they would be dead letters</span>}
      {!isComplete && <span class="dim">of the newest messages; there are more</span>}
    </span>
  );
}

function Results({ of: { results, failures } }: { readonly of: Preview }) {
  if (results.length + failures.length === 0)
    return <p class="body dim">No stored message passes.</p>;
  return (
    <table class="fixed">
      <thead>
        <tr>
          <th class="column-topic">Message</th>
          <th>What the handler would get</th>
        </tr>
      </thead>
      <tbody>
        {results.map((message) => (
          <tr key={message.id}>
            <td class="cut">
              <Topic name={message.topic} />
              <div class="sub">
                <Time at={message.time} />
              </div>
            </td>
            <td class="cut mono">
              <PayloadLine of={message} />
            </td>
          </tr>
        ))}
        {failures.map(({ topic, id, reason }) => (
          <tr key={id}>
            <td class="cut">
              <Topic name={topic} />
            </td>
            <td class="tone-bad">{reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
