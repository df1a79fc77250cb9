// What `npx causeway export` does: asks for one part after the other, and writes each before it asks for the next.
import { setTimeout as delay } from 'node:timers/promises';
import { csvType, ndjsonType } from '../../functions/api/messages/export-format.ts';
import { jsonOrUndefined } from '../../functions/contract/parse.ts';
import { ExportFile } from './export-file.ts';
import type { ExportOptions } from './export-options.ts';
import type { Written } from './export-progress.ts';
import { RequestError, refused, unreachable } from './request-error.ts';

export interface ExportClientOptions {
  readonly onWritten: (written: Written) => void;
  /** Pause before another try where the API did not say how long; default a second. */
  readonly retryMs?: number;
  readonly now?: () => number;
}

/** Tries that may fail one after the other: what is written is gone on with later. */
const maxTries = 10;
const timeoutMs = 60_000;
/** The longest pause that is kept to. */
const maxPauseMs = 60_000;

/** Rejects with a {@link CommandError}: the same options go on with it. */
export async function exportTo(
  { url, token, filter, out, from, to }: ExportOptions,
  { onWritten, retryMs = 1000, now = Date.now }: ExportClientOptions,
): Promise<Written> {
  // It may have a path of its own.
  const base = url.replace(/\/+$/, '');
  const query = new URLSearchParams({ filter, to: to ?? new Date(now()).toISOString() });
  if (from !== undefined) query.set('from', from);
  const file = await ExportFile.open(out, {
    selection: JSON.stringify({ url: base, filter, from, to }),
    next: `/v1/messages?${query}`,
  });
  const headers = {
    accept: out.endsWith('.csv') ? csvType : ndjsonType,
    authorization: `Bearer ${token}`,
  };
  try {
    for (let answers = 1; ; answers++) {
      const { bytes, next } = await part(base, file.next, headers, retryMs);
      if (next === undefined) await file.end(bytes);
      else await file.add(bytes, next);
      const written = { bytes: file.bytes, answers };
      if (next === undefined) return written;
      onWritten(written);
    }
  } finally {
    await file.close();
  }
}

interface Part {
  readonly bytes: Uint8Array;
  /** Path of what follows. */
  readonly next: string | undefined;
}

async function part(
  base: string,
  path: string,
  headers: Record<string, string>,
  retryMs: number,
): Promise<Part> {
  for (let tries = 1; ; tries++) {
    const got = await ask(base, path, headers);
    if (!('error' in got)) return got;
    if (!got.isPassing || tries >= maxTries) throw got.error;
    await delay(Math.min(got.pauseMs ?? retryMs, maxPauseMs));
  }
}

/** A request that failed. */
interface Failure {
  readonly error: RequestError;
  /** Whether another try may succeed. */
  readonly isPassing: boolean;
  readonly pauseMs?: number | undefined;
}

async function ask(
  base: string,
  path: string,
  headers: Record<string, string>,
): Promise<Part | Failure> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${base}${path}`, { headers, signal });
    // What is cut off fails here.
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { status } = response;
    if (response.ok) {
      if (response.headers.get('content-type') !== headers['accept'])
        return {
          error: new RequestError(`${base} is not this API: it exports nothing`),
          isPassing: false,
        };
      const next = /^<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
      return { bytes, next };
    }
    const error = refused(base, status, jsonOrUndefined(Buffer.from(bytes).toString()));
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const pauseMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
    return { error, isPassing: status === 429 || status >= 500, pauseMs };
  } catch (error) {
    return { error: unreachable(base, error), isPassing: true };
  }
}
