// The pages of the console: their names, keys and places in the navigation, and whom each is for.
import type { ComponentType } from 'preact';
import type { Me } from '../client/operations.ts';
import type { IconName } from '../components/icon.tsx';
import { hasRight, me, seesClients } from '../state/me.ts';
import { useStore } from '../state/store.ts';
import { Clients } from './clients/clients.tsx';
import { DeadLetters } from './dead-letters/dead-letters.tsx';
import { Messages } from './messages/messages.tsx';
import { Overview } from './overview/overview.tsx';
import { Publish } from './publish/publish.tsx';
import { Routes } from './routes/routes.tsx';
import { Tokens } from './tokens/tokens.tsx';

export interface Page {
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
  readonly content: ComponentType;
  /** Whether there is something on it for this caller. */
  readonly isFor: (me: Me) => boolean;
}

const forAll = () => true;
const forAdmins = ({ isAdmin }: Me) => isAdmin;

const pages: readonly Page[] = [
  {
    name: 'overview',
    title: 'Overview',
    icon: 'overview',
    key: 'o',
    content: Overview,
    isFor: forAll,
  },
  {
    name: 'messages',
    title: 'Messages',
    icon: 'messages',
    key: 'm',
    content: Messages,
    isFor: (caller) => hasRight(caller, 'read'),
  },
  {
    name: 'publish',
    title: 'Publish',
    icon: 'publish',
    key: 'p',
    content: Publish,
    isFor: (caller) => hasRight(caller, 'publish'),
  },
  {
    name: 'routes',
    title: 'Routes',
    icon: 'routes',
    key: 'r',
    content: Routes,
    isFor: forAdmins,
  },
  {
    name: 'dead-letters',
    title: 'Dead letters',
    icon: 'box',
    key: 'd',
    content: DeadLetters,
    isFor: (caller) => hasRight(caller, 'read'),
  },
  {
    name: 'clients',
    title: 'Clients',
    icon: 'clients',
    key: 'c',
    content: Clients,
    isFor: seesClients,
  },
  {
    name: 'tokens',
    title: 'Tokens',
    icon: 'tokens',
    key: 't',
    content: Tokens,
    isFor: forAdmins,
  },
];

/** The pages that the caller has something on; all where that is not known. */
export function usePages(): readonly Page[] {
  const { value } = useStore(me);
  return value === undefined ? pages : pages.filter(({ isFor }) => isFor(value));
}

/** The page of that name; the first one where there is none. */
export function usePage(name: string): Page {
  const shown = usePages();
  const page = shown.find((one) => one.name === name) ?? shown[0];
  if (page === undefined) throw new Error('there are no pages');
  return page;
}
