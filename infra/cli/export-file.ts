// The file that `npx causeway export` writes, part by part, and beside it until the end how far that is: after a cut at any
// moment it goes on behind the last whole part.
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { jsonOrUndefined } from '../../functions/contract/parse.ts';
import { CommandError } from './run-command.ts';

const stateSchema = z.strictObject({
  /** What is exported, as it was asked for. */
  selection: z.string(),
  /** Path of the part that comes next. */
  next: z.string(),
  /** What of the file is good. */
  bytes: z.int().min(0),
});

export type ExportState = z.output<typeof stateSchema>;

export class ExportFile {
  readonly #name: string;
  readonly #file: FileHandle;
  #state: ExportState;

  private constructor(name: string, file: FileHandle, state: ExportState) {
    this.#name = name;
    this.#file = file;
    this.#state = state;
  }

  /**
   * Opens it for an export that begins at `next`, or goes on with one of the same selection. Rejects with a
   * {@link CommandError} where the file is something else.
   */
  static async open(
    name: string,
    { selection, next }: Omit<ExportState, 'bytes'>,
  ): Promise<ExportFile> {
    const begun = await readState(stateFile(name));
    if (begun !== undefined && begun.selection !== selection && begun.bytes > 0)
      throw new CommandError(
        `${name} is a begun export of something else: finish it with its own options, or delete it and ${stateFile(name)}`,
      );
    const state = begun?.selection === selection ? begun : { selection, next, bytes: 0 };
    const file = await open(name, begun === undefined ? 'wx' : 'r+').catch((error: unknown) => {
      throw new CommandError(`--out ${reasonOf(error as NodeJS.ErrnoException)}`);
    });
    await file.truncate(state.bytes);
    const opened = new ExportFile(name, file, state);
    await opened.#keep(state);
    return opened;
  }

  get next(): string {
    return this.#state.next;
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  /** Adds a part whole; `next` is the path of what follows. */
  async add(part: Uint8Array, next: string): Promise<void> {
    const { bytes, selection } = this.#state;
    await this.#write(part);
    await this.#keep({ selection, next, bytes: bytes + part.length });
  }

  /** Adds the last part. From then on it is a file like any other. */
  async end(part: Uint8Array): Promise<void> {
    await this.#write(part);
    this.#state = { ...this.#state, bytes: this.#state.bytes + part.length };
    await rm(stateFile(this.#name));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #write(part: Uint8Array): Promise<void> {
    let written = 0;
    while (written < part.length) {
      const position = this.#state.bytes + written;
      written += (await this.#file.write(part, written, part.length - written, position))
        .bytesWritten;
    }
    await this.#file.sync();
  }

  async #keep(state: ExportState): Promise<void> {
    const name = stateFile(this.#name);
    await writeFile(`${name}.new`, JSON.stringify(state), { flush: true });
    await rename(`${name}.new`, name);
    this.#state = state;
  }
}

function stateFile(name: string): string {
  return `${name}.resume`;
}

async function readState(name: string): Promise<ExportState | undefined> {
  const text = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new CommandError(`${name}: ${reasonOf(error)}`);
  });
  if (text === undefined) return undefined;
  const state = stateSchema.safeParse(jsonOrUndefined(text));
  if (!state.success) throw new CommandError(`${name} does not say how far an export is`);
  return state.data;
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EEXIST') return 'must not exist yet';
  return code === 'ENOENT' ? 'is not there, or its folder is not' : message;
}
