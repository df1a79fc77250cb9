// How far `npx causeway export` is: one line that is written over in a terminal, elsewhere a line now and then.
import { styleText } from 'node:util';

/** Least time between two lines that stay. */
const lineMs = 2000;

export interface Written {
  /** Of the file, in all. */
  readonly bytes: number;
  readonly answers: number;
}

export function exportText({ bytes, answers }: Written): string {
  return `${(bytes / 1e6).toFixed(1)} MB in ${answers} ${answers === 1 ? 'answer' : 'answers'}`;
}

export function exportProgress(output: NodeJS.WriteStream): {
  show(written: Written): void;
  /** Leaves the place to what is written next. */
  end(): void;
} {
  let writtenMs = Number.NEGATIVE_INFINITY;
  return {
    show(written) {
      const isDue = performance.now() - writtenMs >= lineMs;
      if (!output.isTTY && !isDue) return;
      writtenMs = performance.now();
      const text = exportText(written);
      output.write(output.isTTY ? `\r\u001b[K${styleText('dim', text)}` : `${text}\n`);
    },
    end() {
      if (output.isTTY) output.write('\r\u001b[K');
    },
  };
}
