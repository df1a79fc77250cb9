// One message: what happened to it, its payload and properties, and what can be done with it.

import { matchesFilter } from '../../../contract/topic.ts';
import type { Message } from '../../client/operations.ts';
import { Facts, Time, Topic } from '../../components/basics.tsx';
import { Menu, Panel } from '../../components/overlays.tsx';
import { PayloadView } from '../../components/payload.tsx';
import { type Payload, textOf } from '../../components/payload-text.ts';
import { change, linkTo } from '../../state/address.ts';
import { hasRight, isAdmin, me } from '../../state/me.ts';
import { client } from '../../state/session.ts';
import { routes } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';
import { copy, say } from '../../state/toast.ts';
import { TimeLine } from './time-line.tsx';

export function MessagePanel({
  message,
  onClose,
}: {
  readonly message: Message;
  readonly onClose: () => void;
}) {
  const { topic, id, time, qos } = message;
  const caller = useStore(me).value;
  const canPublish = caller !== undefined && hasRight(caller, 'publish');
  return (
    <Panel
      label={`${topic} ${id}`}
      title={<Topic name={topic} />}
      sub={
        <>
          <Time at={time} as="precise" /> · {time.replace('T', ' ').replace('Z', ' UTC')}
        </>
      }
      onClose={onClose}
      footer={
        <>
          {canPublish && (
            <a class="button primary" href={sendAgainLink(message)}>
              Send again
            </a>
          )}
          {isAdmin() && <ReplayMenu message={message} />}
          <CopyMenu message={message} />
        </>
      }
    >
      <TimeLine id={id} topic={topic} receivedAt={time} qos={qos} />
      <PayloadView
        of={message}
        onNumber={(path) => change({ filter: topic, view: 'curves', fields: path })}
      />
      <section>
        <h3>Properties</h3>
        <Facts of={propertiesOf(message)} />
      </section>
    </Panel>
  );
}

const propertiesOf = (message: Message) =>
  [
    ['Id', <code>{message.id}</code>],
    ['From producer', message.producerId],
    ['Source', <code>{message.source}</code>],
    ['QoS', `${message.qos}${message.retain ? ', retained' : ''}`],
    ['Content type', message.contentType],
    ['Response topic', message.responseTopic],
    ['Correlation data', message.correlationDataBase64],
    [
      'Expired after',
      message.messageExpirySeconds === undefined
        ? undefined
        : `${message.messageExpirySeconds} s, when the broker sent it`,
    ],
    ...(message.userProperties ?? []).map(
      ([name = '', value = '']) => [`${name} (user)`, value] as const,
    ),
  ] as const;

/** Fills the form of Publish, and sends nothing. */
function sendAgainLink(message: Message): string {
  const text = textOf(message);
  return linkTo('publish', undefined, {
    topic: message.topic,
    ...(text === undefined ? { base64: message.payloadBase64 } : { payload: text }),
    contentType: message.contentType,
  });
}

function ReplayMenu({ message: { topic, time } }: { readonly message: Message }) {
  const list = useStore(routes).value?.routes ?? [];
  const fitting = list.filter(({ filter }) => matchesFilter(filter, topic));
  if (fitting.length === 0) return null;
  const replay = async (route: string) => {
    const body = { filter: topic, route, from: time, to: afterTime(time) };
    const result = await client.post('/v1/replay', { body });
    say(
      result.ok ? `Goes to ${route} once more` : `${result.failure.title}: ${result.failure.code}`,
    );
  };
  return (
    <Menu
      label="Replay to"
      icon="retry"
      items={fitting.map(({ name, handler }) => ({
        text: name,
        hint: handler,
        onChoose: () => void replay(name),
      }))}
    />
  );
}

/** The next time that a message can have: a microsecond later. */
export function afterTime(time: string): string {
  const [, head = '', micros = ''] = /^(.*\.\d{3})(\d{3})Z$/.exec(time) ?? [];
  if (micros !== '' && micros !== '999')
    return `${head}${String(Number(micros) + 1).padStart(3, '0')}Z`;
  return new Date(Date.parse(time) + 1).toISOString();
}

/** As the api gives it: the payload stands there as it was sent. */
function jsonOf(message: Message): string {
  const { payload, payloadText, ...rest } = message as Message & Payload;
  if (payload === undefined) return JSON.stringify(rest);
  const text = payloadText ?? JSON.stringify(payload);
  return `${JSON.stringify(rest).slice(0, -1)},"payload":${text}}`;
}

function CopyMenu({ message }: { readonly message: Message }) {
  const { topic, id, time } = message;
  const url = `${location.origin}/v1/messages?${new URLSearchParams({ topic, from: time, to: afterTime(time) })}`;
  const link = `${location.origin}/${linkTo('messages', id, { filter: topic, view: 'history', at: time })}`;
  return (
    <Menu
      label="Copy as"
      icon="copy"
      items={[
        {
          text: 'JSON',
          onChoose: () => void copy(jsonOf(message), 'Copied as JSON'),
        },
        {
          text: 'curl',
          hint: 'with $CAUSEWAY_TOKEN',
          onChoose: () =>
            void copy(
              `curl -H "Authorization: Bearer $CAUSEWAY_TOKEN" '${url.replaceAll("'", '%27')}'`,
              'Copied as a curl line',
            ),
        },
        { text: 'Link', onChoose: () => void copy(link, 'Link copied') },
      ]}
    />
  );
}
