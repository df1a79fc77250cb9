// The tokens: what each may do, when it was last used and when it ends; made and revoked here.
import { useState } from 'preact/hooks';
import type { Token } from '../../client/operations.ts';
import { Button, Card, Empty, Time } from '../../components/basics.tsx';
import { Gate } from '../../components/gate.tsx';
import { TwoStepButton } from '../../components/two-step-button.tsx';
import { me } from '../../state/me.ts';
import { createResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { say } from '../../state/toast.ts';
import { NewTokenPanel } from './new-token.tsx';

const tokens = createResource((signal) => client.get('/v1/tokens', { signal }), 30_000);

const soonMs = 7 * 86_400_000;

export function Tokens() {
  const shown = useStore(tokens);
  const [isMaking, setMaking] = useState(false);
  return (
    <div class="page">
      <div class="head">
        <h1>Tokens</h1>
        <div class="end">
          <Button look="primary" icon="plus" onClick={() => setMaking(true)}>
            New token
          </Button>
        </div>
      </div>
      <div class={`split ${isMaking ? 'open' : ''}`}>
        <Gate shown={shown}>
          {({ tokens: list }) => (
            <Card look="scroll-x">
              {list.length === 0 ? (
                <Empty icon="tokens" title="No tokens yet">
                  <p>
                    The one of npm start may do everything. Make others for programs and people that
                    need to do less.
                  </p>
                </Empty>
              ) : (
                <TokenTable list={list} />
              )}
            </Card>
          )}
        </Gate>
        {isMaking && (
          <NewTokenPanel onClose={() => setMaking(false)} onMade={() => void tokens.reload()} />
        )}
      </div>
    </div>
  );
}

function TokenTable({ list }: { readonly list: readonly Token[] }) {
  const own = useStore(me).value?.id;
  const revoke = async ({ id, name }: Token) => {
    const result = await client.delete('/v1/tokens/{id}', { params: { id } });
    say(result.ok ? `${name} is revoked` : `${result.failure.title}: ${result.failure.code}`);
    await tokens.reload();
  };
  return (
    <table>
      <thead>
        <tr>
          <th>Name</th>
          <th>May</th>
          <th class="not-narrow">Last used</th>
          <th class="not-narrow">Ends</th>
          <th>
            <span class="only-read">Revoke</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {list.map((token) => (
          <tr key={token.id}>
            <td>
              <b>{token.name}</b>
              {own === `token:${token.id}` && <span class="tag">this one</span>}
              <div class="sub">
                <code>{token.id}</code>
              </div>
            </td>
            <td>
              <div class="chips">
                {token.scopes.map((scope) => (
                  <span key={scope} class="tag mono long">
                    {scope}
                  </span>
                ))}
              </div>
            </td>
            <td class="not-narrow dim">
              {token.lastUsedAt === undefined ? 'never' : <Time at={token.lastUsedAt} as="ago" />}
            </td>
            <td class="not-narrow">
              <Ending at={token.expiresAt} />
            </td>
            <td class="number">
              <TwoStepButton
                label="Revoke"
                sureLabel={`Revoke ${token.name}`}
                onSure={() => void revoke(token)}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Ending({ at }: { readonly at: string | undefined }) {
  if (at === undefined) return <span class="dim">never</span>;
  const leftMs = Date.parse(at) - Date.now();
  if (leftMs < 0) return <span class="tag bad">has ended</span>;
  return (
    <span class={leftMs < soonMs ? 'tag warn' : 'dim'}>
      <Time at={at} as="brief" />
    </span>
  );
}
