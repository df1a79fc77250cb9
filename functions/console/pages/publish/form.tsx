// The form of a command to devices, with the curl line that does the same.
import { useId, useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import { Button, Card, CodeBox, Segments } from '../../components/basics.tsx';
import { FailureNote } from '../../components/gate.tsx';
import { TextField } from '../../components/text-field.tsx';
import { TopicInput } from '../../components/topic-input.tsx';
import { client } from '../../state/session.ts';
import {
  canSend,
  curlOf,
  type Draft,
  draftTopicFault,
  payloadFault,
  payloadKinds,
  requestOf,
} from './draft.ts';
import { Editor } from './editor.tsx';

const kindNames = { json: 'JSON', text: 'Text', base64: 'Base64' } as const;
const waits = [
  { value: 'none', text: 'recorded' },
  { value: 'broker', text: 'acknowledged' },
  { value: 'reply', text: 'answered' },
] as const;
const levels = ['0', '1', '2'] as const;

export function PublishForm({
  draft,
  onChange,
  onSent,
}: {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly onSent: (id: string) => void;
}) {
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const topicId = useId();
  const topicFault = draftTopicFault(draft);
  const fault = payloadFault(draft);
  const set = (part: Partial<Draft>) => onChange({ ...draft, ...part });
  const send = async (event: Event) => {
    event.preventDefault();
    if (!canSend(draft) || isSending) return;
    setSending(true);
    // The page shows each step as it comes: the call itself need not wait.
    const { body, bodyText } = requestOf(draft);
    const short = { ...body, timeoutSeconds: 1 };
    const result = await client.post('/v1/publish', {
      body: short,
      bodyText: `${bodyText.slice(0, -1)},"timeoutSeconds":1}`,
    });
    setSending(false);
    setFailure(result.ok ? undefined : result.failure);
    if (result.ok) onSent(result.value.id);
  };
  return (
    <Card title="Send a message to devices">
      <form
        class="body stack"
        onSubmit={send}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send(event);
        }}
      >
        <div class="field">
          <label class="field-label" for={topicId}>
            Topic
          </label>
          <TopicInput
            id={topicId}
            label="Topic"
            value={draft.topic}
            placeholder="devices/lamp-7/cmd"
            isFaulty={topicFault !== undefined}
            onInput={(topic) => set({ topic })}
          />
          {topicFault !== undefined && <p class="field-fault">It {topicFault}</p>}
        </div>
        <div class="field">
          <div class="row">
            <span class="field-label grow">Payload</span>
            <Segments
              label="Kind of payload"
              look="small"
              value={draft.kind}
              choices={payloadKinds.map((value) => ({ value, text: kindNames[value] }))}
              onChoose={(kind) => set({ kind })}
            />
          </div>
          <Editor value={draft.payload} fault={fault} onInput={(payload) => set({ payload })} />
          {fault !== undefined && (
            <p class="field-fault">
              {fault.line !== undefined && `Line ${fault.line}: `}
              {fault.text}
            </p>
          )}
        </div>
        <div class="pair">
          <div class="field">
            <span class="field-label">Wait until it is</span>
            <Segments
              label="Wait until it is"
              value={draft.waitFor}
              choices={waits}
              onChoose={(waitFor) => set({ waitFor })}
            />
          </div>
          <div class="row wrap">
            <div class="field">
              <span class="field-label">QoS</span>
              <Segments
                label="QoS"
                value={String(draft.qos) as '0' | '1' | '2'}
                choices={levels.map((value) => ({ value, text: value }))}
                onChoose={(qos) => set({ qos: Number(qos) as Draft['qos'] })}
              />
            </div>
            <label class="switch">
              <input
                type="checkbox"
                checked={draft.retain}
                onChange={(event) => set({ retain: event.currentTarget.checked })}
              />
              Retain
            </label>
          </div>
        </div>
        <details>
          <summary>More</summary>
          <div class="pair more-fields">
            <TextField
              label="Response topic"
              hint="Where the device answers; {commandId} and {topic} are filled in."
              value={draft.responseTopic}
              onInput={(responseTopic) => set({ responseTopic })}
            />
            <TextField
              label="Content type"
              value={draft.contentType}
              onInput={(contentType) => set({ contentType })}
            />
            <TextField
              label="Expires after, in seconds"
              hint="An hour by default: then it is no longer sent."
              value={draft.expiry}
              onInput={(text) => set({ expiry: text.replaceAll(/\D/g, '').slice(0, 7) })}
            />
          </div>
        </details>
        {failure !== undefined && <FailureNote failure={failure} />}
        <div class="row wrap">
          <Button
            look="primary"
            icon="publish"
            type="submit"
            disabled={!canSend(draft) || isSending}
          >
            {isSending ? 'Sending …' : 'Send'}
          </Button>
          <kbd class="not-narrow">Ctrl Enter</kbd>
        </div>
        {canSend(draft) && (
          <details>
            <summary>The same as a curl line</summary>
            <CodeBox text={curlOf(draft, location.origin)} />
          </details>
        )}
      </form>
    </Card>
  );
}
