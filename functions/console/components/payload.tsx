// A payload: JSON as a tree, text as it came, anything else in hexadecimal; with its size.
import { useMemo, useState } from 'preact/hooks';
import { rawElements, rawMembers } from '../../contract/raw-json.ts';
import { copy } from '../state/toast.ts';
import { Button, Segments } from './basics.tsx';
import { count, counted, size } from './format.ts';
import { Icon } from './icon.tsx';
import { bytesOf, type Payload, sizeOf, textOf } from './payload-text.ts';

/** Objects and arrays below this depth start folded. */
const openDepth = 2;
/** Fields and elements of one that are drawn before somebody asks for all. */
const maxDrawn = 100;

interface ValueProps {
  /** JSON text of the value: it is shown as the device wrote it. */
  readonly text: string;
  readonly path: string;
  readonly depth: number;
  /** A number is a button, where its curve can be drawn. */
  readonly onNumber?: ((path: string) => void) | undefined;
}

function Leaf({ text, path, onNumber }: Omit<ValueProps, 'depth'>) {
  const isNumber = /^[-\d]/.test(text);
  if (isNumber && onNumber !== undefined)
    return (
      <button
        type="button"
        class="json-number json-draws"
        data-tip="Draw its curve"
        onClick={() => onNumber(path)}
      >
        {text}
      </button>
    );
  const kind = isNumber ? 'number' : text.startsWith('"') ? 'text' : 'word';
  return <span class={`json-${kind}`}>{text}</span>;
}

const isOpening = (text: string) => text.startsWith('{') || text.startsWith('[');

/** Fields or elements with their text; a doubled field is there twice. */
function entriesOf(text: string): (readonly [name: string, text: string])[] {
  if (text.startsWith('{')) return rawMembers(text).map(({ name, text: inner }) => [name, inner]);
  return rawElements(text).map(({ text: inner }, index) => [String(index), inner]);
}

function Value({ text, path, depth, onNumber }: ValueProps) {
  const [isOpen, setOpen] = useState(depth < openDepth);
  const [isWhole, setWhole] = useState(false);
  const entries = useMemo(() => (isOpening(text) ? entriesOf(text) : []), [text]);
  if (!isOpening(text)) return <Leaf text={text} path={path} onNumber={onNumber} />;
  const isList = text.startsWith('[');
  const [before, after] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return <span class="json-mark">{before + after}</span>;
  const inside = counted(entries.length, isList ? 'element' : 'field');
  const drawn = isWhole ? entries : entries.slice(0, maxDrawn);
  return (
    <>
      <button
        type="button"
        class="json-fold"
        aria-expanded={isOpen}
        aria-label={inside}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="right" />
      </button>
      <span class="json-mark">
        {before}
        {!isOpen && ` ${inside} ${after}`}
      </span>
      {isOpen && (
        <>
          <ul>
            {drawn.map(([name, inner], index) => (
              <li key={index}>
                <span class="json-key">{name}</span>
                <span class="json-mark">: </span>
                <Value
                  text={inner}
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
  const isTree = typeof of.payload !== 'string' && of.payload !== null;
  const hasViews = isTree && typeof of.payload === 'object';
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
          {hasViews && (
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
        <div class="code json">
          <Value text={text.trim()} path="" depth={0} onNumber={onNumber} />
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
