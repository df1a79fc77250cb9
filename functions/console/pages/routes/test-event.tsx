// A marked event to the handler of a route, and what came back: the way to see whether it is well.
import { useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import type { Route, RouteTest } from '../../client/operations.ts';
import { Button, Facts } from '../../components/basics.tsx';
import { FailureNote } from '../../components/gate.tsx';
import { Panel } from '../../components/overlays.tsx';
import { client } from '../../state/session.ts';

export function TestEvent({ route: { name, state } }: { readonly route: Route }) {
  const [isRunning, setRunning] = useState(false);
  const [outcome, setOutcome] = useState<{ test?: RouteTest; failure?: Failure }>();
  if (state === 'removed') return null;
  const run = async () => {
    setRunning(true);
    const result = await client.post('/v1/routes/{name}/test', { params: { name }, query: {} });
    setRunning(false);
    setOutcome(result.ok ? { test: result.value } : { failure: result.failure });
  };
  return (
    <>
      <Button icon="test" disabled={isRunning} onClick={run}>
        {isRunning ? 'Sending …' : 'Send test event'}
      </Button>
      {outcome !== undefined && (
        <Panel
          label="Test event"
          title={`Test event of ${name}`}
          sub="It is no message: nothing is stored or counted"
          onClose={() => setOutcome(undefined)}
          footer={
            <Button icon="retry" disabled={isRunning} onClick={run}>
              Once more
            </Button>
          }
        >
          {outcome.failure !== undefined && <FailureNote failure={outcome.failure} />}
          {outcome.test !== undefined && <TestResult test={outcome.test} />}
        </Panel>
      )}
    </>
  );
}

const tones = {
  delivered: 'ok',
  failed: 'bad',
  held: 'warn',
  refused: 'bad',
  disabled: 'bad',
  unsendable: 'bad',
} as const;

const headerLines = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');

function TestResult({
  test: { verdict, explanation, sent, answer, latencyMs },
}: {
  readonly test: RouteTest;
}) {
  return (
    <>
      <section>
        <h3>
          What it means <span class={`tag ${tones[verdict]}`}>{verdict}</span>
        </h3>
        <p>{explanation}</p>
      </section>
      {answer !== undefined && (
        <section>
          <h3>The answer</h3>
          <Facts
            of={[
              ['Status', answer.status],
              ['After', latencyMs === undefined ? undefined : `${latencyMs} ms`],
            ]}
          />
          <pre class="code">{`${headerLines(answer.headers)}\n\n${answer.body}`.trim()}</pre>
        </section>
      )}
      {sent !== undefined && (
        <section>
          <h3>What was sent</h3>
          <pre class="code">
            {`${sent.method} ${sent.url}\n${headerLines(sent.headers)}\n\n${sent.body}`}
          </pre>
        </section>
      )}
    </>
  );
}
