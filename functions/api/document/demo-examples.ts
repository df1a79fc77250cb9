// What the docs page shows as answers: values as `npm start -- --demo` gives them, by the id of their schema.

const time = '2026-01-31T12:00:00.000000Z';
const second = '2026-01-31T12:00:00Z';
const topic = 'demo/kitchen/temperature';

const message = {
  id: '_W63EK1bGPkhTtlI-1',
  time,
  topic,
  source: 'mqtt://127.0.0.1:1883/causeway-store-0',
  qos: 1,
  retain: false,
  payload: { celsius: 21.5 },
};

const command = {
  id: '019c13f5-6c00-7000-8000-000000000000-95cd0a3ddc6cbd2b',
  topic: 'demo/kitchen/cmd',
  status: 'sent',
  qos: 1,
  retain: false,
  createdAt: second,
  expiresAt: '2026-01-31T12:01:00Z',
  sentAt: second,
};

const deadLetter = {
  id: 'MjAyNi0wMS0zMVQxMjowMDowMC4wMDAwMDBaI2xhbXAtNy00Mg',
  route: 'orders',
  reason: 'the handler answered 422: celsius must be below 20',
  attempts: 1,
  quarantinedAt: second,
  topic,
  bytes: 16,
  expiresAt: '2027-01-31T12:00:00Z',
};

const attempt = { at: second, latencyMs: 12, status: 200, verdict: 'delivered', messages: 3 };

const token = {
  id: '0123456789abcdef',
  name: 'dashboard',
  scopes: ['read:demo/#'],
  createdAt: second,
  lastUsedAt: second,
};

export const demoExamples: Readonly<Record<string, unknown>> = {
  Message: message,
  MessageSeries: {
    topic,
    stepSeconds: 60,
    series: [
      { field: 'celsius', points: [{ at: second, min: 21, mean: 21.5, max: 22, count: 60 }] },
    ],
  },
  Topic: { topic, lastSeen: time, messages: 1280 },
  Command: command,
  CommandWithHistory: {
    ...command,
    history: [
      { status: 'pending', at: second },
      { status: 'sent', at: second },
    ],
  },
  DeadLetter: deadLetter,
  DeadLetterWithMessage: { ...deadLetter, message },
  ClientPresence: {
    clientId: 'demo-kitchen',
    status: 'online',
    since: time,
    lastEventAt: time,
    flaps: 0,
    flapping: false,
  },
  PresenceEvent: { time, event: 'connected' },
  RouteStatus: {
    name: 'store',
    filter: '#',
    handler: '127.0.0.1:9100',
    state: 'active',
    sessions: [{ state: 'active' }],
    unsettledMessages: 0,
    backlogMessages: 0,
    requestsInFlight: 0,
    concurrencyLimit: 4,
    deliveredPerSecond: 3,
    receivedMessages: 1280,
    deliveredMessages: 1280,
    retriedMessages: 0,
    quarantinedMessages: 0,
  },
  RouteAttempt: { ...attempt, topic, messageId: message.id },
  Trace: {
    route: 'store',
    topic,
    time,
    state: 'delivered',
    settledAt: second,
    tries: 2,
    attempts: [
      { ...attempt, status: 503, verdict: 'held', reason: 'the handler answered 503' },
      attempt,
    ],
  },
  Replay: {
    id: '019a2b5e-7d52-7c1a-9a51-8d3c4f5e6a7b',
    status: 'sending',
    source: 'messages',
    filter: 'demo/#',
    route: 'store',
    messagesPerSecond: 100,
    dryRun: false,
    createdAt: second,
    startedAt: second,
    total: 1280,
    delivered: 200,
    refused: 0,
    refusals: [],
  },
  Preview: {
    read: 1000,
    passed: 1,
    dropped: 999,
    failed: 0,
    isComplete: true,
    results: [{ ...message, payload: { text: `${topic}: 30.5` } }],
    failures: [],
  },
  RouteTest: {
    verdict: 'delivered',
    explanation: 'It took the event.',
    answer: { status: 204, headers: {}, body: '' },
    latencyMs: 12,
  },
  Caller: { id: 'token:local', name: 'local', scopes: ['admin'], isAdmin: true },
  Token: token,
  NewToken: { ...token, token: 'causeway_0123456789abcdef_…' },
};
