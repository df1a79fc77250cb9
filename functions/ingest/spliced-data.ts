// Events of version 2 in a batch: where `data` is JSON, its source text is the payload, byte for byte. So it is cut out of the
// body, and not written again from a parsed value.
import { messageEventTypes } from '../contract/event-version.ts';
import { rawElements, spacedMember } from '../contract/raw-json.ts';

interface SplicedEvent {
  readonly type: unknown;
  readonly datacontenttype: unknown;
}

/** `batch`, parsed from `json`, with the text of such data in its place. What is no such event stays as it is. */
export function withSplicedData(batch: readonly unknown[], json: string): readonly unknown[] {
  if (!batch.some(isSpliced)) return batch;
  const texts = rawElements(json);
  return batch.map((candidate, index) => {
    const text = texts[index]?.text;
    if (!isSpliced(candidate) || text === undefined) return candidate;
    const data = spacedMember(text, 'data');
    return data === undefined ? candidate : { ...candidate, data };
  });
}

function isSpliced(candidate: unknown): candidate is SplicedEvent {
  if (typeof candidate !== 'object' || candidate === null) return false;
  const { type, datacontenttype } = candidate as Partial<SplicedEvent>;
  return type === messageEventTypes[2] && datacontenttype === 'application/json';
}
