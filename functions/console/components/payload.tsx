// A payload: JSON as a tree, text as it came, anything else in hexadecimal; with its size.
import { useState } from 'preact/hooks';
import { copy } from '../state/toast.ts';
import { Button, Segments } from './basics.tsx';
import { count, size } from './format.ts';
import { Icon } from './icon.tsx';
import { bytesOf, type Payload, sizeOf, textOf } from './payload-text.ts';

/** Objects and arrays below this depth start folded. */
const openDepth = 2;
/** Fields and elements of one that are drawn before somebody asks for all. */
const maxDrawn = 100;

interface ValueProps {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
  /** A number is a button, where its curve can be drawn. */
  readonly onNumber?: ((path: string) => void) | undefined;
}

function Leaf({ value, path, onNumber }: Omit<ValueProps, 'depth'>) {
  if (typeof value === 'number' && onNumber !== undefined)
    return (
      <button
        type="button"
        class="json-number json-draws"
        data-tip="Draw its curve"
        onClick={() => onNumber(path)}
      >
        {String(value)}
      </button>
    );
  const kind = typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'word';
  return <span class={`json-${kind}`}>{JSON.stringify(value)}</span>;
}

function Value({ value, path, depth, onNumber }: ValueProps) {
  const [isOpen, setOpen] = useState(depth < openDepth);
  const [isWhole, setWhole] = useState(false);
  if (value === null || typeof value !== 'object')
    return <Leaf value={value} path={path} onNumber={onNumber} />;
  const entries = Object.entries(value);
  const [before, after] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return <span class="json-mark">{before + after}</span>;
  const noun = Array.isArray(value) ? 'elements' : 'fields';
  const drawn = isWhole ? entries : entries.slice(0, maxDrawn);
  return (
    <>
      <button
        type="button"
        class="json-fold"
        aria-expanded={isOpen}
        aria-label={`${entries.length} ${noun}`}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="right" />
      </button>
      <span class="json-mark">
        {before}
        {!isOpen && ` ${entries.length} ${noun} ${after}`}
      </span>
      {isOpen && (
        <>
          <ul>
            {drawn.map(([name, inner]) => (
              <li key={name}>
                <span class="json-key">{name}</span>
                <span class="json-mark">: </span>
                <Value
                  value={inner}
                  path={path === '' ? name : `${path}.${name}`}
                  depth={depth + 1}
                  onNumber={onNumber}
                />
              </li>
            ))}
          </ul>
          {drawn.length < entries.length && (
            <Button look="small" onClick={() => setWhole(true)}>
              Show all {count(entries.length)}
            </Button>
          )}
          <span class="json-mark">{after}</span>
        </>
      )}
    </>
  );
}

/** JSON as a tree. */
export function JsonTree({
  value,
  onNumber,
}: {
  readonly value: unknown;
  readonly onNumber?: (path: string) => void;
}) {
  return (
    <div class="code json">
      <Value value={value} path="" depth={0} onNumber={onNumber} />
    </div>
  );
}

/** A payload in one line, as lists show it. */
export function PayloadLine({ of }: { readonly of: Payload }) {
  const text = textOf(of);
  if (text === undefined)
    return <span class="json-mark truncated">{size(sizeOf(of))}, not text</span>;
  return <span class="truncated">{text.slice(0, 400)}</span>;
}

type View = 'tree' | 'raw';

export function PayloadView({
  of,
  onNumber,
}: {
  readonly of: Payload;
  readonly onNumber?: (path: string) => void;
}) {
  const [view, setView] = useState<View>('tree');
  const text = textOf(of);
  const isTree = typeof of.payload === 'object' && of.payload !== null;
  return (
    <section>
      <h3>
        Payload{' '}
        <span class="tag">
          {of.payloadBase64 !== undefined
            ? 'Bytes'
            : typeof of.payload === 'string'
              ? 'Text'
              : 'JSON'}
          {' · '}
          {size(sizeOf(of))}
        </span>
        <span class="row end">
          {isTree && (
            <Segments
              label="How it is shown"
              look="small"
              value={view}
              choices={[
                { value: 'tree', text: 'Tree' },
                { value: 'raw', text: 'Raw' },
              ]}
              onChoose={setView}
            />
          )}
          <Button
            look="small"
            icon="copy"
            onClick={() => copy(text ?? of.payloadBase64 ?? '', 'Payload copied')}
          >
            Copy
          </Button>
        </span>
      </h3>
      {text === undefined ? (
        <Hexadecimal bytes={bytesOf(of)} />
      ) : isTree && view === 'tree' ? (
        <JsonTree value={of.payload} {...(onNumber !== undefined && { onNumber })} />
      ) : typeof of.payload === 'number' && onNumber !== undefined ? (
        <div class="code json">
          <Leaf value={of.payload} path="" onNumber={onNumber} />
        </div>
      ) : (
        <code class="code">{text === '' ? '(empty)' : text}</code>
      )}
    </section>
  );
}

const bytesInLine = 16;
const maxLines = 32;

function Hexadecimal({ bytes }: { readonly bytes: Uint8Array }) {
  const lines = Math.min(Math.ceil(bytes.length / bytesInLine), maxLines);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has to be reached by keys for that */}
      <code class="code hexadecimal" tabIndex={0}>
        {Array.from({ length: lines }, (_, line) => {
          const part = [...bytes.slice(line * bytesInLine, (line + 1) * bytesInLine)];
          const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
          const ascii = part
            .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'))
            .join('');
          const offset = (line * bytesInLine).toString(16).padStart(4, '0');
          return `${offset}  ${hex.padEnd(3 * bytesInLine)} ${ascii}\n`;
        })}
      </code>
      {bytes.length > maxLines * bytesInLine && (
        <p class="dim small">
          The first {maxLines * bytesInLine} bytes. Copy gives all, as base64.
        </p>
      )}
    </>
  );
}
