// The curves of some fields of a topic, as they come.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import { client } from '../../state/session.ts';
import { goneOn, type Point, type Span, spans } from './field-series.ts';

/** Answers that are read before somebody asks for more: 1 to 2 MB of messages each. */
const maxAnswers = 20;

export interface FieldSeries {
  /** That is asked for, in milliseconds since 1970. */
  readonly range: readonly [from: number, to: number];
  /** By path; `''` is the payload itself. */
  readonly points: ReadonlyMap<string, readonly Point[]>;
  readonly isLoading: boolean;
  readonly failure?: Failure;
  /** Reads on, where it has stopped before the end. */
  readonly goOn?: () => void;
}

interface State {
  readonly points: ReadonlyMap<string, readonly Point[]>;
  readonly next?: string | undefined;
  readonly failure?: Failure;
}

const nothing: State = { points: new Map() };

/** `paths` are of one kind: fields, or `''` alone. */
export function useFieldSeries(topic: string, paths: readonly string[], span: Span): FieldSeries {
  const [state, setState] = useState(nothing);
  const [isLoading, setLoading] = useState(true);
  const leaving = useRef(new AbortController());
  const fields = paths.join(',');
  const hasPaths = paths.length > 0;
  const { range, selection } = useMemo(() => {
    const { ms, stepSeconds } = spans[span];
    const toMs = Date.now();
    return {
      range: [toMs - ms, toMs] as const,
      selection: {
        topic,
        from: new Date(toMs - ms).toISOString(),
        to: new Date(toMs).toISOString(),
        step: String(stepSeconds),
        ...(fields !== '' && { fields }),
      },
    };
  }, [topic, fields, span]);

  async function read(before: State): Promise<void> {
    const { signal } = leaving.current;
    setLoading(true);
    let told = before;
    for (let answer = 0; answer < maxAnswers; answer++) {
      const query = { ...selection, cursor: told.next };
      const result = await client.get('/v1/messages/series', { query, signal });
      if (signal.aborted) return;
      const points = new Map(told.points);
      for (const { field = '', points: more } of result.ok ? result.value.series : [])
        points.set(field, goneOn(points.get(field) ?? [], more));
      told = result.ok
        ? { points, next: result.value.nextCursor }
        : { ...told, failure: result.failure };
      setState(told);
      if (!result.ok || told.next === undefined) break;
    }
    setLoading(false);
  }

  useEffect(() => {
    leaving.current = new AbortController();
    setState(nothing);
    if (hasPaths) void read(nothing);
    return () => leaving.current.abort();
  }, [selection, hasPaths]);

  const { points, failure, next } = state;
  return {
    range,
    points,
    isLoading,
    ...(failure !== undefined && { failure }),
    ...(next !== undefined && !isLoading && { goOn: () => void read(state) }),
  };
}
