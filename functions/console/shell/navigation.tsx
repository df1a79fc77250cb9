// The pages at the left, or at the bottom on phones, with what needs a look beside them.
import { Button, Segments } from '../components/basics.tsx';
import { counted, short, sumOf } from '../components/format.ts';
import { Icon, Logo } from '../components/icon.tsx';
import { Dialog } from '../components/overlays.tsx';
import { State } from '../components/state.tsx';
import { type Page, usePages } from '../pages/pages.ts';
import { linkTo } from '../state/address.ts';
import { away } from '../state/connection.ts';
import { signOut } from '../state/session.ts';
import { deadLetters } from '../state/shared.ts';
import { routes } from '../state/states.ts';
import { useStore } from '../state/store.ts';
import { chooseTheme, theme } from '../state/theme.ts';

/** What opens over the page. */
export type Overlay = 'find' | 'keys' | 'more';

interface NavigationProps {
  readonly current: Page;
  readonly onOpen: (overlay: Overlay) => void;
}

const troubled = new Set(['holding', 'disconnected', 'disabled', 'unknown']);

/** Routes in which somebody should look. */
function useTroubledRoutes(): number {
  const { value } = useStore(routes);
  return value?.routes.filter(({ state }) => troubled.has(state)).length ?? 0;
}

function Badge({ page }: { readonly page: string }) {
  const troubledRoutes = useTroubledRoutes();
  const letters = useStore(deadLetters).value;
  if (page === 'routes' && troubledRoutes > 0)
    return (
      <span class="badge warn">
        <Icon name="warning" />
        {troubledRoutes}
        <span class="only-read"> need a look</span>
      </span>
    );
  if (page === 'dead-letters' && letters !== undefined && letters.groups.length > 0)
    return (
      <span class="badge">
        {short(sumOf(letters.groups))}
        {letters.readUntil !== undefined && '+'}
      </span>
    );
  return null;
}

export function PageLink({ page, current }: { readonly page: Page; readonly current: Page }) {
  return (
    <a
      class="page-link"
      href={linkTo(page.name)}
      {...(page === current && { 'aria-current': 'page' as const })}
    >
      <Icon name={page.icon} />
      <span class="label">{page.title}</span>
      <Badge page={page.name} />
    </a>
  );
}

export function Navigation({ current, onOpen }: NavigationProps) {
  const pages = usePages();
  const isAway = useStore(away) !== undefined;
  return (
    <nav class="nav" aria-label="Pages">
      <a class="brand" href={linkTo('overview')}>
        <Logo />
        <span class="label">Causeway</span>
      </a>
      <button type="button" class="find" onClick={() => onOpen('find')}>
        <Icon name="search" />
        Find
        <kbd class="end">/</kbd>
      </button>
      {pages.map((page) => (
        <PageLink key={page.name} page={page} current={current} />
      ))}
      <div class="foot">
        <div class="foot-line">
          {isAway ? (
            <State name="disconnected">No answer</State>
          ) : (
            <State name="active">Connected</State>
          )}
          <Button
            look="ghost icon-only small end"
            icon="leave"
            aria-label="Sign out"
            data-tip="Sign out"
            onClick={signOut}
          />
        </div>
        <div class="foot-line">
          <ThemeChoice />
          <Button
            look="ghost icon-only small end"
            icon="keys"
            aria-label="Keys (?)"
            data-tip="Keys  ?"
            onClick={() => onOpen('keys')}
          />
        </div>
      </div>
    </nav>
  );
}

/** Pages in the bar of phones; the others are behind More. */
const pagesInBar = 4;

export function BottomBar({ current, onOpen }: NavigationProps) {
  const troubledRoutes = useTroubledRoutes();
  const pages = usePages();
  const others = pages.slice(pagesInBar);
  return (
    <nav class="tabs" aria-label="Main pages">
      {pages.slice(0, pagesInBar).map((page) => (
        <a
          key={page.name}
          href={linkTo(page.name)}
          {...(page === current && { 'aria-current': 'page' as const })}
        >
          <Icon name={page.icon} />
          {page.title}
          {page.name === 'routes' && troubledRoutes > 0 && (
            <span class="pip">
              <Icon name="warning" />
              <span class="only-read">{counted(troubledRoutes, 'route')} to look at</span>
            </span>
          )}
        </a>
      ))}
      <button
        type="button"
        onClick={() => onOpen('more')}
        {...(others.includes(current) && { 'aria-current': 'page' as const })}
      >
        <Icon name="more" />
        More
      </button>
    </nav>
  );
}

export function TopBar({ onOpen }: Pick<NavigationProps, 'onOpen'>) {
  return (
    <header class="top">
      <a class="brand" href={linkTo('overview')}>
        <Logo />
        Causeway
      </a>
      <Button look="icon-only end" icon="search" aria-label="Find" onClick={() => onOpen('find')} />
    </header>
  );
}

export function MorePages({
  current,
  onClose,
}: Pick<NavigationProps, 'current'> & { readonly onClose: () => void }) {
  const pages = usePages();
  return (
    <Dialog label="More pages" look="more" onClose={onClose}>
      <div class="stack small-gap more-pages">
        {pages.slice(pagesInBar).map((page) => (
          <PageLink key={page.name} page={page} current={current} />
        ))}
        <div class="row">
          <span class="grow">Theme</span>
          <ThemeChoice />
        </div>
        <Button icon="leave" onClick={signOut}>
          Sign out
        </Button>
      </div>
    </Dialog>
  );
}

export function ThemeChoice() {
  const chosen = useStore(theme);
  return (
    <Segments
      label="Theme"
      look="small"
      value={chosen}
      choices={[
        { value: 'auto', text: 'As the system', icon: 'half' },
        { value: 'light', text: 'Light', icon: 'sun' },
        { value: 'dark', text: 'Dark', icon: 'moon' },
      ]}
      onChoose={chooseTheme}
    />
  );
}
