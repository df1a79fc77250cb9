// The trace context of a call: a device gets it as user properties, but for one that the caller has given itself.
import { expect, test } from 'vitest';
import { principalOf } from '../../../../functions/api/access/scopes.ts';
import { planCommand } from '../../../../functions/api/commands/plan.ts';
import { anyBroker } from '../../../../functions/contract/broker-rules.ts';
import { publishRequestSchema } from '../../../../functions/contract/command.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const own: [string, string] = ['traceparent', traceparent.replace('4bf9', '0000')];

test.each([
  [undefined, undefined, undefined],
  [undefined, [['a', 'b']], [['a', 'b']]],
  [{ traceparent }, undefined, [['traceparent', traceparent]]],
  [
    { traceparent, tracestate: 'x=1' },
    [['a', 'b']],
    [
      ['a', 'b'],
      ['traceparent', traceparent],
      ['tracestate', 'x=1'],
    ],
  ],
  [{ traceparent }, [own], [own]],
])('%j and %j', (trace, userProperties, expected) => {
  const request = publishRequestSchema.parse({ topic: 'lamp', payload: 'on', userProperties });
  const planned = planCommand(request, Buffer.from('on'), 'id', {
    principal: principalOf('token:x', [{ kind: 'admin' }]),
    nowMs: 0,
    brokerRules: anyBroker,
    replyTopic: undefined,
    trace,
    correlationData: () => Buffer.alloc(16),
  });
  expect(planned.ok && planned.queued.properties.userProperties).toEqual(expected);
});
