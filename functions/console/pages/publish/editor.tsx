// The editor of a payload: lines with numbers, and the one that is wrong marked.
import type { TextFault } from './draft.ts';

export function Editor({
  value,
  fault,
  onInput,
}: {
  readonly value: string;
  readonly fault: TextFault | undefined;
  readonly onInput: (value: string) => void;
}) {
  const lines = value.split('\n').length;
  return (
    <div class={`editor ${fault === undefined ? '' : 'faulty'}`}>
      <div class="editor-lines" aria-hidden="true">
        {Array.from({ length: lines }, (_, index) => {
          const line = index + 1;
          return <div key={line}>{line === fault?.line ? <b>{line}</b> : line}</div>;
        })}
      </div>
      <textarea
        aria-label="Payload"
        aria-invalid={fault !== undefined}
        spellcheck={false}
        autocapitalize="off"
        rows={Math.min(24, Math.max(6, lines))}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}
