// Ids of commands: each leads to the items of its command, in the ledger and in the queue.
import { createHash } from 'node:crypto';
import { commandIdLength } from '../contract/command.ts';

const digestLength = 16;

/** A topic as the ids of its commands, and their partition, name it. */
export function topicDigest(topic: string): string {
  return createHash('sha256').update(topic).digest('hex').slice(0, digestLength);
}

/**
 * The id of a command: a time-ordered UUID, and a digest of its topic. So the id alone leads to the item, which
 * stands among those of its topic in the order in which they were recorded, and no index has to be kept.
 */
export function commandId(uuid: string, topic: string): string {
  return `${uuid}-${topicDigest(topic)}`;
}

/** The digest of its topic in a command's id. */
export function digestIn(id: string): string {
  return id.slice(-digestLength);
}

/** The UUID in a command's id. */
export function uuidIn(id: string): string {
  return id.slice(0, -digestLength - 1);
}

/** Whether a text has the form of a command's id. */
export function isCommandId(text: string): boolean {
  return text.length === commandIdLength && /^[0-9a-f-]{36}-[0-9a-f]{16}$/.test(text);
}

/** Whether a level of a topic is a command's id: such a topic has one command or its reply, and is gone with it. */
export function hasCommandId(topic: string): boolean {
  return topic.length >= commandIdLength && topic.split('/').some(isCommandId);
}

/** A caller as commands name it: long enough that no two meet by chance, and no secret of theirs. */
export function callerDigest(principalId: string): string {
  return createHash('sha256').update(principalId).digest('hex').slice(0, digestLength);
}
