// What the dispatch tells of commands and replies to who makes spans of them. Nobody does where no traces are collected.
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import type { PublishResult } from './publish-window.ts';

export interface CommandSpans {
  /** The command is about to be published; what is given back is to be called with what became of it. */
  publishing(command: QueuedCommand): (result: PublishResult) => void;
  /** A device has answered it. */
  answered(commandId: string, responseTopic: string): void;
}
