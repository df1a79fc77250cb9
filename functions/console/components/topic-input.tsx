// A topic or filter that completes level by level: arrows, Tab or Enter take one, Esc closes the list.
import { useId, useState } from 'preact/hooks';
import { topics } from '../state/shared.ts';
import { useStore } from '../state/store.ts';
import { Icon } from './icon.tsx';
import { completionsOf } from './topic-completion.ts';

export function TopicInput({
  value,
  label,
  onInput,
  onTake,
  takesWildcards = false,
  isMain = false,
  isFaulty = false,
  placeholder,
  id,
}: {
  readonly value: string;
  readonly label: string;
  readonly onInput: (value: string) => void;
  /** Told when it is done: Enter, or a topic was taken. */
  readonly onTake?: (value: string) => void;
  readonly takesWildcards?: boolean;
  /** Whether the key `f` leads here. */
  readonly isMain?: boolean;
  readonly isFaulty?: boolean;
  readonly placeholder?: string;
  readonly id?: string;
}) {
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const list = useId();
  const known = useStore(topics).value?.topics ?? [];
  const completions = isOpen ? completionsOf(value, known, takesWildcards) : [];

  const take = (taken: string) => {
    onInput(taken);
    setAt(-1);
    setOpen(taken.endsWith('/'));
    if (!taken.endsWith('/')) onTake?.(taken);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const next = at + (event.key === 'ArrowDown' ? 1 : -1);
      setAt(Math.max(-1, Math.min(next, completions.length - 1)));
      return;
    }
    const chosen = completions[event.key === 'Tab' && value !== '' ? Math.max(at, 0) : at];
    if ((event.key === 'Tab' || event.key === 'Enter') && chosen !== undefined) {
      event.preventDefault();
      take(chosen.value);
    } else if (event.key === 'Enter') {
      setOpen(false);
      onTake?.(value);
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      setOpen(false);
    }
  };

  return (
    <div class={`combobox grow ${isMain ? 'with-icon' : ''}`}>
      {isMain && (
        <span class="combobox-icon">
          <Icon name="search" />
        </span>
      )}
      <input
        class="input"
        {...(id !== undefined && { id })}
        {...(placeholder !== undefined && { placeholder })}
        {...(isMain && { 'data-main': '' })}
        role="combobox"
        aria-label={label}
        aria-expanded={completions.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-invalid={isFaulty}
        {...(at >= 0 && completions.length > 0 && { 'aria-activedescendant': `${list}-${at}` })}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={value}
        onInput={(event) => {
          onInput(event.currentTarget.value);
          setOpen(true);
          setAt(-1);
        }}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <div
        class="menu"
        role="listbox"
        id={list}
        aria-label="Topics"
        hidden={completions.length === 0}
      >
        {completions.map((one, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus, and names the active option
          <div
            key={one.value}
            role="option"
            id={`${list}-${index}`}
            aria-selected={index === at}
            onPointerDown={(event) => {
              event.preventDefault();
              take(one.value);
            }}
          >
            <span class="topic truncated">{one.value}</span>
            <span class="hint">{one.hint}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
