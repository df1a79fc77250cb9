// Where somebody signs in: at the issuer's page where there is one, or with a token. A token is tried before it is kept, and
// stands in no address that a server sees.
import { useEffect, useState } from 'preact/hooks';
import { createClient, type Failure, type Result } from '../client/client.ts';
import { Button } from '../components/basics.tsx';
import { FailureNote } from '../components/gate.tsx';
import { Logo } from '../components/icon.tsx';
import { isAnswered, issuer, leaveForIssuer, tokenOfAnswer } from '../state/issuer.ts';
import { me } from '../state/me.ts';
import { refusal, signIn } from '../state/session.ts';
import { useStore } from '../state/store.ts';

const submitText = issuer === undefined ? 'Sign in' : 'Sign in with the token';

export function SignIn() {
  const refused = useStore(refusal);
  const [text, setText] = useState('');
  const [isTrying, setTrying] = useState(isAnswered);
  const [failure, setFailure] = useState(refused && ended(refused));
  /** Shows why it did not work; where it did, the page is another one. */
  const show = (told: Failure | undefined) => {
    setTrying(false);
    setFailure(told);
  };
  useEffect(() => {
    if (isAnswered) void tokenOfAnswer().then(tryToken).then(show);
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    setTrying(true);
    void tryToken({ ok: true, value: text.trim(), text: '' }).then(show);
  };
  const leave = () => {
    setTrying(true);
    void leaveForIssuer().then((told) => told !== undefined && show(told));
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <div class="brand">
          <Logo />
          Causeway
        </div>
        <h1>{issuer === undefined ? 'Sign in with a token' : 'Sign in'}</h1>
        {failure !== undefined && <FailureNote failure={failure} />}
        {issuer !== undefined && (
          <>
            <Button look="primary" disabled={isTrying} onClick={leave}>
              {isTrying && isAnswered
                ? 'Signing in …'
                : `Sign in at ${new URL(issuer.issuer).host}`}
            </Button>
            <p class="dim or">or with a token</p>
          </>
        )}
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
        <Button
          look={issuer === undefined ? 'primary' : ''}
          type="submit"
          disabled={text.trim() === '' || isTrying}
        >
          {isTrying && !isAnswered ? 'Asking …' : submitText}
        </Button>
        <p class="dim small">
          The same is there for programs: <a href="/docs">the HTTP interface</a>.
        </p>
      </form>
    </main>
  );
}

/** Signs in where the api takes the token; resolves with why it does not. */
async function tryToken(token: Result<string>): Promise<Failure | undefined> {
  if (!token.ok) return token.failure;
  const trial = createClient({ token: () => token.value, onOutcome: () => {} });
  const result = await trial.get('/v1/me');
  if (!result.ok) return result.failure;
  signIn(token.value);
  return undefined;
}

/** Why a session has ended; the api says no more of a token than that it is not good. */
function ended(refused: Failure): Failure {
  const { expiresAt } = me.value.value ?? {};
  if (expiresAt === undefined || Date.parse(expiresAt) > Date.now()) return refused;
  return {
    ...refused,
    title: 'Your sign-in has expired',
    detail: 'what you had open is there again once you have signed in',
  };
}
