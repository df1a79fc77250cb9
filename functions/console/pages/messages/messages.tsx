// What devices have sent: topics at the left, and of the filter the newest, the history, or curves.
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { filterFault, topicFault } from '../../../contract/topic.ts';
import type { Message } from '../../client/operations.ts';
import { Empty, Segments } from '../../components/basics.tsx';
import { TopicInput } from '../../components/topic-input.tsx';
import { change, place } from '../../state/address.ts';
import { openLive } from '../../state/live.ts';
import { client } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { Curves } from './curves.tsx';
import { HistoryView } from './history-view.tsx';
import { Latest } from './latest.tsx';
import { LiveView } from './live-view.tsx';
import { afterTime, MessagePanel } from './message-panel.tsx';
import { TopicTree } from './tree.tsx';

const views = ['live', 'latest', 'history', 'curves'] as const;
type View = (typeof views)[number];
const viewNames: Readonly<Record<View, string>> = {
  live: 'Live',
  latest: 'Latest',
  history: 'History',
  curves: 'Curves',
};

export function Messages() {
  const { chosen: id, settings } = useStore(place);
  const { filter = '#', at, fields, span } = settings;
  const view = views.find((one) => one === settings['view']) ?? 'live';
  const [text, setText] = useState(filter);
  const [message, setMessage] = useState<Message>();
  useEffect(() => setText(filter), [filter]);
  const fault = filterFault(text);
  const isTopic = topicFault(filter) === undefined;

  // It goes on while another view is looked at: the tree shows who speaks.
  const live = useMemo(() => openLive(filter), [filter]);
  useEffect(() => () => live.close(), [live]);
  const { speaking } = useStore(live);

  const choose = useCallback((one: Message | undefined) => {
    setMessage(one);
    change({ at: one?.time }, one?.id ?? '');
  }, []);
  const apply = (chosen: string) => {
    if (filterFault(chosen) !== undefined) return;
    const needsOne = view === 'history' || view === 'curves';
    const isOne = topicFault(chosen) === undefined;
    change({
      filter: chosen,
      fields: undefined,
      span: undefined,
      view: needsOne && !isOne ? 'live' : view,
    });
  };
  // A link to a message names its topic and time: that finds it.
  useEffect(() => {
    if (id === undefined || at === undefined || message?.id === id) return;
    const query = { topic: filter, from: at, to: afterTime(at) };
    void client.get('/v1/messages', { query }).then((result) => {
      if (result.ok) setMessage(result.value.messages.find((one) => one.id === id));
    });
  }, [id, at, filter, message]);

  return (
    <div class="page">
      <div class="head">
        <h1 class="only-read">Messages</h1>
        <TopicInput
          value={text}
          label="Topic filter"
          placeholder="A topic, or a filter with + and #"
          takesWildcards
          isMain
          isFaulty={fault !== undefined}
          onInput={setText}
          onTake={apply}
        />
        <Segments
          label="View"
          look="full"
          value={view}
          choices={views.map((one) => ({ value: one, text: viewNames[one] }))}
          onChoose={(one) => change({ view: one })}
        />
      </div>
      {fault !== undefined && <p class="field-fault">The filter {fault}</p>}
      <div class="messages-page">
        <TopicTree filter={filter} speaking={speaking} onChoose={apply} />
        <div class={`split ${message === undefined ? '' : 'open'}`}>
          {view === 'live' && (
            <LiveView live={live} filter={filter} chosen={message} onChoose={choose} />
          )}
          {view === 'latest' && <Latest filter={filter} chosen={message} onChoose={choose} />}
          {(view === 'history' || view === 'curves') && !isTopic && <OneTopicNeeded />}
          {view === 'history' && isTopic && (
            <HistoryView key={filter} topic={filter} chosen={message} onChoose={choose} />
          )}
          {view === 'curves' && isTopic && (
            <Curves key={filter} topic={filter} fields={fields} span={span} />
          )}
          {message !== undefined && (
            <MessagePanel message={message} onClose={() => choose(undefined)} />
          )}
        </div>
      </div>
    </div>
  );
}

function OneTopicNeeded() {
  return (
    <div class="card">
      <Empty icon="messages" title="Choose one topic">
        <p>History and curves are of one topic. Press one in the tree, or type it above.</p>
      </Empty>
    </div>
  );
}
