// Where the token is pasted. It is tried before it is kept, and stands in no address that a server sees.
import { useState } from 'preact/hooks';
import type { Failure } from '../client/client.ts';
import { createClient } from '../client/client.ts';
import { Button } from '../components/basics.tsx';
import { FailureNote } from '../components/gate.tsx';
import { Logo } from '../components/icon.tsx';
import { refusal, signIn } from '../state/session.ts';
import { useStore } from '../state/store.ts';

export function SignIn() {
  const refused = useStore(refusal);
  const [text, setText] = useState('');
  const [isTrying, setTrying] = useState(false);
  const [failure, setFailure] = useState<Failure | undefined>(refused);
  const submit = async (event: Event) => {
    event.preventDefault();
    const token = text.trim();
    setTrying(true);
    const trial = createClient({ token: () => token, onOutcome: () => {} });
    const result = await trial.get('/v1/me');
    setTrying(false);
    if (result.ok) signIn(token);
    else setFailure(result.failure);
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <div class="brand">
          <Logo />
          Causeway
        </div>
        <h1>Sign in with a token</h1>
        <label class="field">
          <span class="field-label">Token</span>
          <input
            class="input mono"
            type="password"
            autocomplete="off"
            spellcheck={false}
            placeholder="causeway_…"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <span class="field-hint">
            <code>npm start</code> prints one; <code>npx causeway token</code> makes others, which
            may do less. A JWT of the configured issuer works, too. It is kept in this tab until you
            close it or sign out.
          </span>
        </label>
        {failure !== undefined && <FailureNote failure={failure} />}
        <Button look="primary" type="submit" disabled={text.trim() === '' || isTrying}>
          {isTrying ? 'Asking …' : 'Sign in'}
        </Button>
        <p class="dim small">
          The same is there for programs: <a href="/docs">the HTTP interface</a>.
        </p>
      </form>
    </main>
  );
}
