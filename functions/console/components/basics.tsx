// The smallest pieces: buttons, segments, times, topics, notes, and what stands where nothing is.
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { copy } from '../state/toast.ts';
import { span, type TimeStyle, timeText } from './format.ts';
import { Icon, type IconName } from './icon.tsx';
import type { Tone } from './state.tsx';

interface ButtonProps extends Omit<ButtonHTMLAttributes, 'icon' | 'type'> {
  readonly icon?: IconName | undefined;
  /** Classes beside `button`: `primary`, `danger`, `ghost`, `small`, `icon-only`. */
  readonly look?: string;
  readonly type?: 'button' | 'submit';
}

export function Button({ icon, look = '', children, type = 'button', ...rest }: ButtonProps) {
  return (
    <button type={type} class={`button ${look}`} {...rest}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function CopyButton({ text, said }: { readonly text: string; readonly said?: string }) {
  return (
    <Button look="small" icon="copy" onClick={() => copy(text, said)}>
      Copy
    </Button>
  );
}

/** Text to copy, with the button that does it. */
export function CodeBox({ text }: { readonly text: string }) {
  return (
    <div class="code-box">
      <code class="code">{text}</code>
      <CopyButton text={text} />
    </div>
  );
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly text: string;
  /** In place of the text, which is then read aloud. */
  readonly icon?: IconName;
}

/** One of a few, all in sight. */
export function Segments<T extends string>({
  label,
  value,
  choices,
  onChoose,
  look = '',
}: {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly Choice<T>[];
  readonly onChoose: (value: T) => void;
  readonly look?: string;
}) {
  const name = useId();
  return (
    <fieldset class={`segments ${look}`} aria-label={label}>
      {choices.map(({ value: one, text, icon }) => (
        <label key={one} {...(icon !== undefined && { 'data-tip': text })}>
          <input
            type="radio"
            name={name}
            value={one}
            checked={one === value}
            onChange={() => onChoose(one)}
            {...(icon !== undefined && { 'aria-label': text })}
          />
          {icon === undefined ? text : <Icon name={icon} />}
        </label>
      ))}
    </fieldset>
  );
}

/** Local time; the exact one, in UTC, and the age are a hover or a focus away. */
export function Time({
  at,
  as = 'clock',
}: {
  readonly at: string | number;
  readonly as?: TimeStyle;
}) {
  const timeMs = typeof at === 'number' ? at : Date.parse(at);
  const utc = typeof at === 'number' ? new Date(at).toISOString() : at;
  const age = span(Math.abs(Date.now() - timeMs));
  const words = `${utc.replace('T', ' ').replace('Z', ' UTC')}\n${age} ${timeMs > Date.now() ? 'from now' : 'ago'}`;
  return (
    <time dateTime={utc} data-tip={words}>
      {timeText(timeMs, as)}
    </time>
  );
}

/** A topic, its last level strong. */
export function Topic({ name }: { readonly name: string }) {
  const last = name.lastIndexOf('/') + 1;
  return (
    <span class="topic truncated" title={name}>
      <span class="topic-before">{name.slice(0, last)}</span>
      <span class="topic-last">{name.slice(last)}</span>
    </span>
  );
}

const noteIcons = {
  ok: 'check',
  warn: 'warning',
  bad: 'cross',
  go: 'info',
  quiet: 'info',
} as const;

export function Note({
  tone,
  title,
  children,
  role,
}: {
  readonly tone: Tone;
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
  readonly role?: 'alert' | 'status';
}) {
  return (
    <div class={`note ${tone}`} {...(role !== undefined && { role })}>
      <Icon name={noteIcons[tone]} />
      <div class="grow">
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Card({
  title,
  aside,
  children,
  look = '',
}: {
  readonly title?: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly look?: string;
}) {
  return (
    <section class={`card ${look}`}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {aside !== undefined && <div class="end">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Names and values, one a line; those that are undefined are left out. */
export function Facts({
  of,
}: {
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[];
}) {
  return (
    <dl class="facts-list">
      {of
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name} class="fact-pair">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A choice that is on or off. */
export function Chip({
  isOn,
  onToggle,
  children,
}: {
  readonly isOn: boolean;
  readonly onToggle: () => void;
  readonly children: ComponentChildren;
}) {
  return (
    <button type="button" class="chip" aria-pressed={isOn} onClick={onToggle}>
      {children}
    </button>
  );
}
