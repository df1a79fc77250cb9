// States of routes in files, for a bridge without a table: one for each route that was ever paused or disabled.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { parseRouteState, type RouteState } from './route-state.ts';
import type { RouteStateStore } from './route-states.ts';

/**
 * `folder` is made with the first change. Names of routes and client id prefixes are letters, digits, - and _, and so
 * fit for files.
 */
export function folderRouteStates(folder: string, clientIdPrefix: string): RouteStateStore {
  const prefix = `${clientIdPrefix}-`;
  return {
    isShared: false,
    async read() {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const states = new Map<string, RouteState | undefined>();
      for (const name of names) {
        if (!name.startsWith(prefix) || !name.endsWith('.json')) continue;
        const text = await readFile(join(folder, name), 'utf8');
        const route = name.slice(prefix.length, -'.json'.length);
        states.set(route, parseRouteState(text));
      }
      return states;
    },
    async replace(route, state) {
      await writeDurably(folder, `${prefix}${route}.json`, `${JSON.stringify(state)}\n`);
      return true;
    },
  };
}
