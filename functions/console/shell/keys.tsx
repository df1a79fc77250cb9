// What the keys do, and the list of them.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from '../components/basics.tsx';
import { Dialog } from '../components/overlays.tsx';
import { type Page, usePages } from '../pages/pages.ts';
import { go } from '../state/address.ts';
import type { Overlay } from './navigation.tsx';

const keysOf = (pages: readonly Page[]) => [
  ['/', 'Find anything'],
  ['f', 'Filter of this page'],
  [`g, then ${pages.map(({ key }) => key).join(' ')}`, 'Go to a page'],
  ['j  k', 'Next, previous row'],
  ['Enter', 'Open the row'],
  ['Space', 'Pause the stream'],
  ['Esc', 'Close panel, menu, zoom'],
  ['Ctrl Enter', 'Send'],
  ['?', 'These keys'],
];

/** Longest time between `g` and the key of a page. */
const goMs = 1200;

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.matches('textarea, select') ||
    (target instanceof HTMLInputElement && !/radio|checkbox/.test(target.type)));

export function useKeys(onOpen: (overlay: Overlay) => void, pages: readonly Page[]): void {
  const goUntil = useRef(0);
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key, target } = event;
      const isModified = event.ctrlKey || event.metaKey || event.altKey;
      if (isModified || event.defaultPrevented || document.querySelector('dialog[open]') !== null)
        return;
      if (isTyping(target)) {
        if (key === 'Escape') (target as HTMLElement).blur();
        return;
      }
      const page = pages.find((one) => one.key === key);
      if (Date.now() < goUntil.current && page !== undefined) {
        goUntil.current = 0;
        go(page.name);
        return;
      }
      if (key === 'g') goUntil.current = Date.now() + goMs;
      else if (key === '/') onOpen('find');
      else if (key === '?') onOpen('keys');
      else if (key === 'f') document.querySelector<HTMLInputElement>('[data-main]')?.select();
      else if (key === 'j' || key === 'k') moveRow(key === 'j' ? 1 : -1);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [onOpen, pages]);
}

function moveRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

export function Keys({ onClose }: { readonly onClose: () => void }) {
  const keys = keysOf(usePages());
  return (
    <Dialog label="Keys" onClose={onClose}>
      <div class="dialog-head">
        <h2>Keys</h2>
        <Button
          look="ghost icon-only small end"
          icon="close"
          aria-label="Close"
          onClick={onClose}
        />
      </div>
      <div class="keys">
        {keys.map(([key, does]) => (
          <div key={key}>
            <span>{does}</span>
            <kbd>{key}</kbd>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
