// CPU time and memory of other processes, and the load of the whole machine, from /proc.
import { readFileSync } from 'node:fs';

/** Linux counts CPU time in ticks of 10 ms for user programs, whatever the kernel's own clock. */
const microsPerTick = 10_000;

/** User and system time of all threads so far; of its children that have ended too, if asked. */
export function cpuMicros(pid: number, withEndedChildren = false): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in parentheses, and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, withEndedChildren ? 15 : 13).map(Number);
  return ticks.reduce((sum, count) => sum + count, 0) * microsPerTick;
}

/** Time that all cores together have been busy so far. */
export function machineBusyMicros(): number {
  const [cores = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // user, nice, system, idle, iowait, irq, softirq, steal
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = cores
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * microsPerTick;
}

/** Highest resident set size so far, in MB of 10^6 bytes. */
export function peakResidentMB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

/** Resident set size now, in MB of 10^6 bytes. */
export function residentMB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}
