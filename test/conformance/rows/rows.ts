// All rows, in the order of the standards' chapters.
import type { Row } from '../row.ts';
import { connectRows } from './connect.ts';
import { delivery } from './delivery.ts';
import { fixedHeader } from './fixed-header.ts';
import { flow } from './flow.ts';
import { packets } from './packets.ts';
import { properties } from './properties.ts';
import { retainedRows } from './retained.ts';
import { sessions } from './sessions.ts';
import { text } from './text.ts';

export const groups = {
  'fixed header': fixedHeader,
  text,
  properties,
  'CONNECT and CONNACK': connectRows,
  packets,
  delivery,
  'sessions and wills': sessions,
  'retained messages': retainedRows,
  flow,
} satisfies Record<string, readonly Row[]>;
