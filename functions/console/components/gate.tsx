// What every page does while nothing has come yet, when the api does not answer, and when the token may not see it.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../client/client.ts';
import type { Shown } from '../state/resource.ts';
import { Note } from './basics.tsx';

/** Longer than most answers take: nothing flashes. */
const skeletonAfterMs = 200;

export function Skeleton() {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), skeletonAfterMs);
    return () => clearTimeout(timer);
  }, []);
  if (!isLate) return <div aria-busy="true" />;
  return (
    <div class="card" aria-busy="true">
      <div class="body stack">
        <span class="only-read" role="status">
          Loading
        </span>
        {[1, 2, 3, 4, 5].map((line) => (
          <div key={line} class="skeleton" />
        ))}
      </div>
    </div>
  );
}

/** A failure in the api's words. */
export function FailureNote({ failure }: { readonly failure: Failure }) {
  const { code, title, detail, errors = [] } = failure;
  return (
    <Note tone="bad" title={`${title}.`} role="alert">
      <p class="dim-2">
        <code>{code}</code>
        {detail !== undefined && `: ${detail}`}
      </p>
      {errors.length > 0 && (
        <ul>
          {errors.map(({ field, rule }) => (
            <li key={field}>
              {field !== '' && <code>{field} </code>}
              {rule}
            </li>
          ))}
        </ul>
      )}
    </Note>
  );
}

/** Draws what has come; above it, why the newest call failed. */
export function Gate<T>({
  shown,
  children,
}: {
  readonly shown: Shown<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  const { value, failure } = shown;
  if (value === undefined && failure === undefined) return <Skeleton />;
  // An outage is told once for the whole page.
  const isTold = failure?.code === 'unreachable' || failure?.code === 'unreadable';
  return (
    <>
      {failure !== undefined && !isTold && <FailureNote failure={failure} />}
      {value !== undefined && children(value)}
    </>
  );
}
