// States of routes, commands, clients, tries and replays: each with an icon, a word and a tone.
import type { ComponentChildren } from 'preact';
import type { Client, Command, MessageTrace, Replay, Route } from '../client/operations.ts';
import { Icon, type IconName } from './icon.tsx';

type Trace = MessageTrace['traces'][number];

export type StateName =
  | Route['state']
  | Command['status']
  | Client['status']
  | 'flapping'
  | Trace['state']
  | Trace['attempts'][number]['verdict']
  | Replay['status'];

export type Tone = 'ok' | 'warn' | 'bad' | 'quiet' | 'go';

const states: Readonly<Record<StateName, readonly [Tone, IconName, string]>> = {
  active: ['ok', 'check', 'Active'],
  holding: ['warn', 'warning', 'Holding'],
  paused: ['quiet', 'paused', 'Paused'],
  disconnected: ['bad', 'cross', 'Disconnected'],
  disabled: ['bad', 'barred', 'Disabled'],
  standby: ['quiet', 'ring', 'Standby'],
  unknown: ['warn', 'question', 'Unknown'],
  removed: ['quiet', 'trash', 'Removed'],
  pending: ['go', 'clock', 'Pending'],
  sent: ['go', 'up', 'Sent'],
  answered: ['ok', 'answered', 'Answered'],
  failed: ['bad', 'cross', 'Failed'],
  expired: ['bad', 'hourglass', 'Expired'],
  online: ['ok', 'check', 'Online'],
  offline: ['quiet', 'struck', 'Offline'],
  flapping: ['warn', 'zigzag', 'Flapping'],
  waiting: ['warn', 'clock', 'Waiting'],
  delivered: ['ok', 'check', 'Delivered'],
  filtered: ['quiet', 'barred', 'Filtered'],
  quarantined: ['bad', 'box', 'Dead letter'],
  refused: ['bad', 'cross', 'Refused'],
  held: ['warn', 'warning', 'Held'],
  rejected: ['bad', 'cross', 'Rejected'],
  gone: ['bad', 'barred', 'Gone'],
  counting: ['go', 'clock', 'Counting'],
  sending: ['go', 'up', 'Sending'],
  done: ['ok', 'check', 'Done'],
  cancelled: ['quiet', 'barred', 'Cancelled'],
};

export const toneOf = (name: StateName): Tone => states[name][0];
export const iconOf = (name: StateName): IconName => states[name][1];

export function State({
  name,
  children,
}: {
  readonly name: StateName;
  /** In place of the state's word. */
  readonly children?: ComponentChildren;
}) {
  const [tone, icon, word] = states[name];
  return (
    <span class={`state tone-${tone}`}>
      <Icon name={icon} />
      {children ?? word}
    </span>
  );
}
