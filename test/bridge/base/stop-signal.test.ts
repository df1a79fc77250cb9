// When the programs can be stopped: during their start, and as soon as they have said that they are ready.
import { describe, expect, test } from 'vitest';
import { startChild } from '../../infra/template/rig/child.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import type { ProgramName } from '../../support/programs.ts';
import { programFile } from '../../support/started-once.ts';

const config = {
  broker: { url: 'mqtt://127.0.0.1:1' },
  http: { port: 0 },
  quarantineFolder: temporaryFolder('bridge'),
  routes: [{ name: 'store', filter: '#', url: 'http://127.0.0.1:1', allowPrivate: true }],
};
const programs: readonly {
  readonly name: ProgramName;
  readonly environment: Readonly<Record<string, string>>;
  readonly ready: RegExp;
}[] = [
  {
    name: 'bridge',
    environment: { CAUSEWAY_CONFIG: JSON.stringify(config) },
    ready: /bridge started/,
  },
  {
    name: 'broker',
    environment: { BROKER_PORT: '0', BROKER_FOLDER: temporaryFolder('broker') },
    ready: /Listening on/,
  },
  {
    name: 'start',
    environment: { PORT: '0', MQTT_PORT: '0', DATA_DIR: temporaryFolder('start') },
    ready: /Publish to a device/,
  },
];

/** Modules, as text, that are loaded before a program, and send it a signal from inside: no timing is left to chance. */
const moments = {
  'when it begins to listen': () => `
    import net from 'node:net';
    const { listen } = net.Server.prototype;
    net.Server.prototype.listen = function (...parameters) {
      process.kill(process.pid, 'SIGTERM');
      return listen.apply(this, parameters);
    };`,
  'when it has printed that it is ready': (ready: RegExp) => `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const signalled = (write) =>
      function (...parameters) {
        const result = write.apply(this, parameters);
        if (parameters.some((text) => ${ready}.test(text))) process.kill(process.pid, 'SIGINT');
        return result;
      };
    process.stdout.write = signalled(process.stdout.write);
    for (const name of ['write', 'writeSync']) fs[name] = signalled(fs[name]);
    syncBuiltinESMExports();`,
};

describe.each(programs)('$name', ({ name, environment, ready }) => {
  test.each(Object.entries(moments))('stopped %s, ends with 0', async (_moment, moduleFor) => {
    const module = `data:text/javascript,${encodeURIComponent(moduleFor(ready))}`;
    const child = startChild(process.execPath, [`--import=${module}`, await programFile(name)], {
      folder: temporaryFolder('stopped'),
      environment: { PATH: process.env['PATH'], ...environment },
    });
    expect(await child.exited, child.output()).toBe(0);
    expect(child.output()).toMatch(ready);
  });
});
