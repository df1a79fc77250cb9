// The brokers that can be named in `broker.profile`.
import * as z from 'zod';
import { anyBroker } from '../../../functions/contract/broker-rules.ts';
import { awsIot } from './aws-iot.ts';
import { embedded } from './embedded.ts';
import { emqx } from './emqx.ts';
import { hivemq } from './hivemq.ts';
import { mosquitto } from './mosquitto.ts';
import { nats } from './nats.ts';
import { onenet } from './onenet.ts';
import type { Profile } from './profile.ts';
import { rabbitmq } from './rabbitmq.ts';

export const profileName = z.enum([
  'mosquitto',
  'emqx',
  'hivemq',
  'rabbitmq',
  'nats',
  'aws-iot',
  'onenet',
  'embedded',
]);

export type ProfileName = z.output<typeof profileName>;

const profiles: Readonly<Record<ProfileName, Profile>> = {
  mosquitto,
  emqx,
  hivemq,
  rabbitmq,
  nats,
  'aws-iot': awsIot,
  onenet,
  embedded,
};

/** What holds for a broker that the config does not name: MQTT, and the bridge's own defaults. */
const anyProfile: Profile = {
  defaults: {},
  limits: {},
  rules: anyBroker,
  presence: { kind: 'last-will', filters: [] },
};

export function profileOf(name: ProfileName | undefined): Profile {
  return name === undefined ? anyProfile : profiles[name];
}
