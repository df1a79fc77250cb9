// Hosts that something listens on: whether other machines reach them, and where this machine does. Pure.
import { isLoopback } from '../broker/access/access.ts';

/** Whether what listens there can be reached from other machines. */
export function isBeyondMachine(host: string): boolean {
  return host !== 'localhost' && !isLoopback(host);
}

/** Where a client of this machine finds what listens on `host`, as a URL has it. */
export function connectHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === 'localhost') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
