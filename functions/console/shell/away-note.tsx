// Said above every page while the api does not answer: what is there stays, and how old it is.
import { Button, Note } from '../components/basics.tsx';
import { span } from '../components/format.ts';
import { away } from '../state/connection.ts';
import { type Resource, type Shown, useSeconds } from '../state/resource.ts';
import { useStore } from '../state/store.ts';

export function AwayNote({
  resource,
}: {
  /** Whose next call is the next try. */
  readonly resource: Pick<Resource<unknown>, 'value' | 'subscribe' | 'reload'>;
}) {
  const gone = useStore(away);
  const { nextAt } = useStore<Shown<unknown>>(resource);
  const now = useSeconds(gone !== undefined);
  if (gone === undefined) return null;
  const { since, failure } = gone;
  const isNext = nextAt !== undefined && nextAt > now;
  return (
    <div class="away">
      <Note tone="bad" title={`${failure.title}.`} role="alert">
        <p class="dim-2">
          <code>{failure.code}</code>, for {span(now - since)}. What is shown is from before.{' '}
          {isNext ? `The next try is in ${span(nextAt - now)}. ` : 'Trying. '}
        </p>
        <Button look="small" icon="retry" onClick={() => resource.reload()}>
          Try now
        </Button>
      </Note>
    </div>
  );
}
