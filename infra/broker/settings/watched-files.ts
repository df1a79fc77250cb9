// Files that are read again when they change: what they look like from outside, and a look at it every now and then.
import { statSync } from 'node:fs';

/** Another text as soon as one of the files is another, or gone. */
export function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const { mtimeMs, size, ino } = statSync(file, { throwIfNoEntry: false }) ?? {};
      return `${mtimeMs} ${size} ${ino}`;
    })
    .join(', ');
}

export interface Watch {
  /** Called when one of the files has changed; where it throws, nothing is changed by it. */
  readonly onChange: () => void;
  /** Told what `onChange` threw, once for each change. */
  readonly onFault: (error: Error) => void;
  readonly intervalMs: number;
}

/** Looks every `intervalMs` whether one of the files has changed. Returns how to stop. */
export function watchFiles(
  files: readonly string[],
  { onChange, onFault, intervalMs }: Watch,
): () => void {
  // Polling sees what file watchers miss: editors that replace the file, and links that change.
  let before = stampOf(files);
  const timer = setInterval(() => {
    try {
      const now = stampOf(files);
      if (now === before) return;
      before = now;
      onChange();
    } catch (error) {
      onFault(error instanceof Error ? error : new Error(String(error)));
    }
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
