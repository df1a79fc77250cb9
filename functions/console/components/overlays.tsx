// What stands over the page: side panel, dialog, menu, toast and tip.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useStore } from '../state/store.ts';
import { toast } from '../state/toast.ts';
import { Button } from './basics.tsx';
import { Icon, type IconName } from './icon.tsx';

/** A column where there is room, a drawer where not. The page goes on working; Esc closes it, and focus goes back. */
export function Panel({
  label,
  title,
  sub,
  footer,
  onClose,
  children,
}: {
  /** Names what is shown: another one takes the focus again. */
  readonly label: string;
  readonly title: ComponentChildren;
  readonly sub?: ComponentChildren;
  readonly footer?: ComponentChildren;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const panel = useRef<HTMLElement>(null);
  // Another label is another panel.
  useLayoutEffect(() => {
    const before = document.activeElement;
    panel.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected)
        before.focus({ preventScroll: true });
    };
  }, [label]);
  useLayoutEffect(() => {
    const close = (event: KeyboardEvent) => {
      const isTaken = event.defaultPrevented || document.querySelector('dialog[open]') !== null;
      if (event.key === 'Escape' && !isTaken) onClose();
    };
    addEventListener('keydown', close);
    return () => removeEventListener('keydown', close);
  }, [onClose]);
  return (
    <aside class="panel" aria-label={label} tabIndex={-1} ref={panel}>
      <header>
        <div class="grow stack no-gap">
          <h2>{title}</h2>
          {sub !== undefined && <div class="dim small">{sub}</div>}
        </div>
        <Button
          look="ghost icon-only small"
          icon="close"
          aria-label="Close panel (Esc)"
          onClick={onClose}
        />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has to be reached by keys for that */}
      <section class="body" aria-label="Details" tabIndex={0}>
        {children}
      </section>
      {footer !== undefined && <footer>{footer}</footer>}
    </aside>
  );
}

/** The browser's own dialog; a press beside it, or Esc, closes it. */
export function Dialog({
  label,
  look = '',
  onClose,
  children,
}: {
  readonly label: string;
  readonly look?: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // As all here, before the first paint: a key that is pressed at once belongs to what is opened.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    const beside = (event: MouseEvent) => {
      if (event.target === shown) shown?.close();
    };
    shown?.addEventListener('click', beside);
    return () => shown?.removeEventListener('click', beside);
  }, []);
  return (
    <dialog class={look} ref={dialog} aria-label={label} onClose={onClose}>
      {children}
    </dialog>
  );
}

export interface MenuItem {
  readonly text: string;
  readonly hint?: string;
  readonly onChoose: () => void;
}

export function Menu({
  label,
  icon,
  items,
  look = '',
}: {
  readonly label: string;
  readonly icon: IconName;
  readonly items: readonly MenuItem[];
  readonly look?: string;
}) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const beside = (event: Event) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      setOpen(false);
      place.current?.querySelector('button')?.focus();
    };
    document.addEventListener('pointerdown', beside);
    document.addEventListener('keydown', onEscape);
    return () => {
      document.removeEventListener('pointerdown', beside);
      document.removeEventListener('keydown', onEscape);
    };
  }, [isOpen]);
  return (
    <div class="menu-place" ref={place}>
      <Button look={look} icon={icon} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {label}
        <Icon name="down" />
      </Button>
      {isOpen && (
        <div class="menu">
          {items.map(({ text, hint, onChoose }) => (
            <button
              key={text}
              type="button"
              onClick={() => {
                setOpen(false);
                onChoose();
              }}
            >
              {text}
              {hint !== undefined && <span class="hint">{hint}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

export function Toast() {
  const text = useStore(toast);
  return (
    <div role="status">
      {text !== undefined && (
        <div class="toast">
          <Icon name="check" />
          {text}
        </div>
      )}
    </div>
  );
}

/** One for the whole page: what `data-tip` says, on hover, focus and tap. */
export function Tip() {
  const tip = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = tip.current;
    if (box === null) return undefined;
    const show = ({ target }: Event) => {
      const about = target instanceof Element ? target.closest<HTMLElement>('[data-tip]') : null;
      box.hidden = about === null;
      if (about === null) return;
      box.textContent = about.dataset['tip'] ?? '';
      const place = about.getBoundingClientRect();
      const { width, height } = box.getBoundingClientRect();
      const left = Math.min(innerWidth - width - 8, place.left + place.width / 2 - width / 2);
      box.style.left = `${Math.max(8, left)}px`;
      const isRoomAbove = place.top > height + 12;
      box.style.top = `${isRoomAbove ? place.top - height - 6 : place.bottom + 6}px`;
    };
    const hide = () => {
      box.hidden = true;
    };
    const showing = ['pointerover', 'focusin', 'pointerdown'] as const;
    for (const name of showing) addEventListener(name, show);
    addEventListener('scroll', hide, true);
    addEventListener('hashchange', hide);
    return () => {
      for (const name of showing) removeEventListener(name, show);
      removeEventListener('scroll', hide, true);
      removeEventListener('hashchange', hide);
    };
  }, []);
  return <div class="tip" role="tooltip" ref={tip} hidden />;
}
