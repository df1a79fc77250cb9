// What a user has of a deployment: a device at its broker, and a token for its API.
import mqtt, { type IClientPublishOptions } from 'mqtt';
import { until } from '../../support/wait.ts';
import type { Deployment } from './rig/deployment.ts';
import type { World } from './rig/world.ts';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  readonly body: any;
}

export interface User {
  readonly deployment: Deployment;
  readonly world: World;
  /** Shown with every call. */
  token: string;
  /** What the device has received. */
  readonly received: readonly { readonly topic: string; readonly text: string }[];
  publish(topic: string, text: string | Buffer, options?: IClientPublishOptions): Promise<unknown>;
  /** A call of the API: a POST where there is a body, and `init` says nothing else. */
  call(path: string, body?: unknown, init?: RequestInit): Promise<Answer>;
  /** The messages of a topic, once there are so many. */
  messages(topic: string, count: number): Promise<Answer['body'][]>;
  leave(): Promise<void>;
}

/** The device answers every command to `rooms/+/cmd` that asks for a reply. */
export async function startUser(deployment: Deployment, world: World): Promise<User> {
  const received: { topic: string; text: string }[] = [];
  const device = await mqtt.connectAsync(world.deviceUrl, {
    protocolVersion: 5,
    ...world.credentials,
    clientId: 'device',
  });
  device.on('message', (topic, payload, { properties }) => {
    received.push({ topic, text: payload.toString() });
    const { responseTopic, correlationData } = properties ?? {};
    if (responseTopic === undefined || correlationData === undefined) return;
    device.publish(responseTopic, 'done', { qos: 1, properties: { correlationData } });
  });
  await device.subscribeAsync(['rooms/+/cmd', 'causeway/+/status'], { qos: 1 });

  const user: User = {
    deployment,
    world,
    token: '',
    received,
    publish: (topic, text, options = {}) =>
      device.publishAsync(topic, text, { qos: 1, ...options }),
    async call(path, body, init = {}) {
      const headers = {
        authorization: `Bearer ${user.token}`,
        'content-type': 'application/json',
      };
      const response = await fetch(`${deployment.outputs['ApiUrl']}${path}`, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        ...init,
        headers: { ...headers, ...init.headers },
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return { status: response.status, body: isJson ? JSON.parse(text) : text };
    },
    messages: (topic, count) =>
      until(
        async () => {
          const path = `/v1/messages?topic=${encodeURIComponent(topic)}`;
          const { status, body } = await user.call(path);
          if (status !== 200) throw new Error(JSON.stringify(body));
          return body.messages.length >= count ? body.messages : undefined;
        },
        { what: `${count} messages of ${topic}` },
      ),
    async leave() {
      await device.endAsync(true);
    },
  };
  return user;
}
