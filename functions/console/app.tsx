// The console: sign-in, or the page that the address names with the navigation around it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Gate } from './components/gate.tsx';
import { Tip, Toast } from './components/overlays.tsx';
import { Hatches } from './components/small-pictures.tsx';
import { usePage, usePages } from './pages/pages.ts';
import { AwayNote } from './shell/away-note.tsx';
import { Find } from './shell/find.tsx';
import { Keys, useKeys } from './shell/keys.tsx';
import { BottomBar, MorePages, Navigation, type Overlay, TopBar } from './shell/navigation.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { place } from './state/address.ts';
import { me } from './state/me.ts';
import { token } from './state/session.ts';
import { topics } from './state/shared.ts';
import { useStore } from './state/store.ts';

export function App() {
  const isSignedIn = useStore(token) !== undefined;
  return (
    <>
      {isSignedIn ? <SignedIn /> : <SignIn />}
      <Toast />
    </>
  );
}

/** Nothing is asked for before it is known what the caller may see. */
function SignedIn() {
  const caller = useStore(me);
  if (caller.value !== undefined) return <Shell />;
  return (
    <main>
      <AwayNote resource={me} />
      <Gate shown={caller}>{() => null}</Gate>
    </main>
  );
}

function Shell() {
  const pages = usePages();
  const page = usePage(useStore(place).page);
  const [overlay, setOverlay] = useState<Overlay>();
  const main = useRef<HTMLElement>(null);
  const close = useCallback(() => setOverlay(undefined), []);
  useKeys(setOverlay, pages);
  useEffect(() => {
    document.title = `${page.title} · Causeway`;
    scrollTo(0, 0);
  }, [page]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Hatches />
      <div class="shell">
        <Navigation current={page} onOpen={setOverlay} />
        <div class="grow">
          <TopBar onOpen={setOverlay} />
          <main ref={main} tabIndex={-1}>
            <AwayNote resource={topics} />
            <page.content key={page.name} />
            <Tip />
          </main>
        </div>
        <BottomBar current={page} onOpen={setOverlay} />
      </div>
      {overlay === 'find' && <Find onClose={close} />}
      {overlay === 'keys' && <Keys onClose={close} />}
      {overlay === 'more' && <MorePages current={page} onClose={close} />}
    </>
  );
}
