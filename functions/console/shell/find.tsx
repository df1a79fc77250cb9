// Find anything: a page, a topic, a route, a client, by any part of its name.
import type { TargetedKeyboardEvent } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { IconName } from '../components/icon.tsx';
import { Icon } from '../components/icon.tsx';
import { Dialog } from '../components/overlays.tsx';
import { usePages } from '../pages/pages.ts';
import { linkTo } from '../state/address.ts';
import { topics } from '../state/shared.ts';
import { presence, routes } from '../state/states.ts';
import { useStore } from '../state/store.ts';

interface Found {
  readonly icon: IconName;
  readonly text: string;
  readonly hint: string;
  readonly link: string;
}

const maxFound = 12;

/** What has a text in its name, among all that is known now. */
function useFinding(): (text: string) => Found[] {
  const pages = usePages();
  const known = {
    topics: useStore(topics).value?.topics ?? [],
    routes: useStore(routes).value?.routes ?? [],
    clients: useStore(presence).value?.clients ?? [],
  };
  const all: Found[] = [
    ...pages.map(({ name, title, icon, key }) => ({
      icon,
      text: title,
      hint: `g ${key}`,
      link: linkTo(name),
    })),
    ...known.routes.map(({ name, state }) => ({
      icon: 'routes' as const,
      text: name,
      hint: `route, ${state}`,
      link: linkTo('routes', name),
    })),
    ...known.topics.map(({ topic }) => ({
      icon: 'messages' as const,
      text: topic,
      hint: 'topic',
      link: linkTo('messages', undefined, { filter: topic, view: 'history' }),
    })),
    ...known.clients.map(({ clientId, status }) => ({
      icon: 'clients' as const,
      text: clientId,
      hint: `client, ${status}`,
      link: linkTo('clients', clientId),
    })),
  ];
  return (given) => {
    const text = given.trim();
    const wanted = text.toLowerCase();
    const found = all.filter(({ text: name }) => name.toLowerCase().includes(wanted));
    if (/[/#+]/.test(text)) found.unshift(messagesOf(text));
    return found.slice(0, maxFound);
  };
}

function messagesOf(filter: string): Found {
  const link = linkTo('messages', undefined, { filter });
  return { icon: 'search', text: `Messages of ${filter}`, hint: 'filter', link };
}

export function Find({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const finding = useFinding();
  const found = finding(text);
  // Before the first paint: what is typed at once belongs into it.
  useLayoutEffect(() => input.current?.focus(), []);
  const take = (one: Found | undefined) => {
    if (one === undefined) return;
    onClose();
    location.hash = one.link;
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    // Who types fast is ahead of what is drawn.
    const { value } = event.currentTarget;
    if (event.key === 'Enter') take(value === text ? found[at] : finding(value)[0]);
    else if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label="Find" look="palette" onClose={onClose}>
      <input
        ref={input}
        class="input"
        role="combobox"
        aria-label="Find a page, topic, route or client"
        aria-expanded="true"
        aria-controls="found"
        {...(found.length > 0 && { 'aria-activedescendant': `found-${at}` })}
        placeholder="Topic, route, client …"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id="found" aria-label="Found">
        {found.map((one, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus, and names the active option
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys
          <div
            key={one.link}
            role="option"
            id={`found-${index}`}
            aria-selected={index === at}
            onClick={() => take(one)}
          >
            <Icon name={one.icon} />
            <span class="truncated">{one.text}</span>
            <span class="hint">{one.hint}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="dim">Nothing here has that in its name.</p>}
    </Dialog>
  );
}
