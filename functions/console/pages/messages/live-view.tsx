// Messages as they come. Paused it counts what came, cut off it says since when, and a gap is never silent.
import { useLayoutEffect } from 'preact/hooks';
import type { Message } from '../../client/operations.ts';
import { Button, Card, Empty, Note, Time } from '../../components/basics.tsx';
import { counted, rate, span } from '../../components/format.ts';
import { State } from '../../components/state.tsx';
import type { Live } from '../../state/live.ts';
import { useSeconds } from '../../state/resource.ts';
import { useStore } from '../../state/store.ts';
import { keyOf, MessageRow } from './message-row.tsx';

/** Scrolled so far down, somebody is reading: nothing shall move then. */
const readingPx = 40;

export function LiveView({
  live,
  filter,
  chosen,
  onChoose,
}: {
  readonly live: Live;
  readonly filter: string;
  readonly chosen: Message | undefined;
  readonly onChoose: (message: Message) => void;
}) {
  const {
    messages,
    status,
    lostSince,
    isPaused,
    heldMessages,
    missed,
    rate: perSecond,
  } = useStore(live);
  const now = useSeconds(status === 'lost');
  const toggle = () => (isPaused ? live.resume() : live.pause());
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isElsewhere =
        event.target instanceof HTMLElement &&
        event.target.matches('input, textarea, button, a, summary');
      if (event.key !== ' ' || isElsewhere) return;
      event.preventDefault();
      toggle();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
  return (
    <Card
      look="messages-card"
      title={
        <span class="row">
          {status === 'lost' ? (
            <State name="disconnected">Cut off</State>
          ) : isPaused ? (
            <State name="paused" />
          ) : status === 'live' ? (
            <State name="active">Live</State>
          ) : (
            <State name="pending">Connecting</State>
          )}
          <span class="dim small not-narrow">{rate(perSecond)} a second</span>
        </span>
      }
      aside={
        <Button look="small" icon={isPaused ? 'play' : 'pause'} onClick={toggle}>
          {isPaused ? 'Go on' : 'Pause'}
        </Button>
      }
    >
      {status === 'lost' && lostSince !== undefined && (
        <Note tone="bad" title={`Cut off for ${span(now - lostSince)}.`}>
          <p>It is tried again, and goes on after the last message here: nothing is left out.</p>
        </Note>
      )}
      {missed.map(({ from, to, reason }) => (
        <Note key={from} tone="warn" title="Some messages are not in this list">
          <p>
            Those stored from <Time at={from} /> to <Time at={to} />
            {reason === 'slow' ? ': more came than this page took.' : '.'} They are in the history.
          </p>
        </Note>
      ))}
      {isPaused && heldMessages > 0 && (
        <button type="button" class="held" onClick={() => live.resume()}>
          {counted(heldMessages, 'new message')}: show
        </button>
      )}
      <div
        class="messages"
        onScroll={(event) => {
          if (event.currentTarget.scrollTop > readingPx && !isPaused) live.pause();
        }}
      >
        {messages.map((message) => (
          <MessageRow
            key={keyOf(message)}
            message={message}
            isNew
            isChosen={chosen !== undefined && keyOf(chosen) === keyOf(message)}
            onChoose={(one) => {
              live.pause();
              onChoose(one);
            }}
          />
        ))}
        {messages.length === 0 && (
          <Empty icon="messages" title={`Waiting for messages of ${filter}`}>
            <p>
              What is stored from now on is shown here; what was stored before is under Latest and
              History.
            </p>
          </Empty>
        )}
      </div>
    </Card>
  );
}
