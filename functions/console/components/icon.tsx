// Icons on a grid of 16 px. Each state has a shape of its own, so that colour never carries it alone.

const paths = {
  overview: 'M2.5 8.5 8 3l5.5 5.5M4 7.5V13h8V7.5',
  messages: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  publish: 'M13.5 2.5 7 9M13.5 2.5 9.5 13.5 7 9 2.5 6.5z',
  routes: 'M2.5 4h3c3 0 2 8 5 8h3M2.5 12h2M11.5 4h2M11.5 10l2 2-2 2',
  box: 'M2.5 5.5h11V13a.5.5 0 0 1-.5.5H3a.5.5 0 0 1-.5-.5zM3.5 5.5l1-3h7l1 3M6.5 8.5h3',
  clients: 'M3 3.5h10v6H3zM5.5 12.5h5M8 9.5v3',
  tokens:
    'M10.5 9a3.5 3.5 0 1 0-3.3-2.3L2.5 11.4V13.5h2.6v-1.8h1.8v-1.8l1-.8c.7.3 1.6.4 2.6-.1zM11 5h.01',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14',
  close: 'm4 4 8 8M12 4l-8 8',
  right: 'm6 3.5 4.5 4.5L6 12.5',
  down: 'm3.5 6 4.5 4.5L12.5 6',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7-4.5z',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  download: 'M8 2.5v8M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11',
  trash: 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  plus: 'M8 3v10M3 8h10',
  test: 'M6 2.5h4M7 2.5V7l-4 6.5h10L9 7V2.5',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z',
  half: 'M8 13.5a5.5 5.5 0 1 0 0-11zM8 2.5a5.5 5.5 0 0 0 0 11',
  keys: 'M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M11.8 7h.01M5 9.5h6',
  curve: 'M2.5 12.5c3 0 3-8 5.5-8s2 5 5.5 3',
  leave: 'M9.5 2.5h-6v11h6M6.5 8h7M11 5.5 13.5 8 11 10.5',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5V11M8 5h.01',
  check: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.3 8.2l1.9 1.9 3.5-3.9',
  warning: 'M8 2.2 14.3 13.2H1.7zM8 6.5v3M8 11.4h.01',
  paused: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.4 5.8v4.4M9.6 5.8v4.4',
  cross: 'M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM6 6l4 4M10 6l-4 4',
  barred: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM3.9 3.9l8.2 8.2',
  ring: 'M8 13A5 5 0 1 0 8 3a5 5 0 0 0 0 10z',
  struck: 'M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM2.5 13.5l11-11',
  question: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.3 6.3A1.8 1.8 0 1 1 8 8.7v.6M8 11.3h.01',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6',
  up: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 11V5.2M5.5 7.5 8 5l2.5 2.5',
  answered: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM4.6 8.2l1.5 1.5 2.8-3.1M7.9 9.7l.2.1 3.3-3.6',
  zigzag: 'M1.5 10.5h2.5l2-6 3 8 2-5h3.5',
  hourglass:
    'M4 2.5h8M4 13.5h8M5 2.5c0 3 2 3.5 3 5.5 1-2 3-2.5 3-5.5M5 13.5c0-3 2-3.5 3-5.5 1 2 3 2.5 3 5.5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M5 13h22M8 23v-4a4 4 0 0 1 8 0v4M16 23v-4a4 4 0 0 1 8 0v4" />
    </svg>
  );
}
