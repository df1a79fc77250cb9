// What each client library needs, how its program is made, and how it is started.
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const programs = fileURLToPath(new URL('programs', import.meta.url));
const within = (folder: string): SpawnOptions => ({
  cwd: folder,
  stdio: ['ignore', 'pipe', 'pipe'],
});

/** Program and arguments; the port and the client's name come behind them. */
export type Command = readonly [string, ...string[]];

export interface ClientLibrary {
  readonly name: string;
  /** What has to be installed for it. */
  readonly needs: string;
  readonly isThere: boolean;
  /** It hands correlation data over as text, so that those of a command, which are bytes, do not come back whole. */
  readonly hasTextOnly?: true;
  /** Fetches the library and builds the program, in a folder of its own. */
  make(folder: string): Promise<Command>;
}

const works = (program: string, ...options: string[]) =>
  spawnSync(program, options, { stdio: 'ignore' }).status === 0;

async function run(folder: string, program: string, ...options: string[]): Promise<void> {
  const child = spawn(program, options, within(folder));
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      printed += chunk;
    });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ${options.join(' ')}: ${printed.slice(-4000)}`);
}

const hasPython = works('python3', '-c', 'import venv, ensurepip');
const hasJava = works('javac', '-version') && works('mvn', '--version');

function python(name: string, version: string, program: string): ClientLibrary {
  return {
    name,
    needs: 'python3 and python3-venv',
    isThere: hasPython,
    async make(folder) {
      await run(folder, 'python3', '-m', 'venv', 'python');
      await run(folder, 'python/bin/pip', 'install', '--quiet', version);
      return [join(folder, 'python/bin/python'), join(programs, program)];
    },
  };
}

function java(name: string, program: string): ClientLibrary {
  return {
    name,
    needs: 'a JDK and maven',
    isThere: hasJava,
    async make(folder) {
      cpSync(join(programs, 'java'), folder, { recursive: true });
      await run(folder, 'mvn', '--quiet', 'dependency:copy-dependencies', '-DoutputDirectory=lib');
      await run(folder, 'javac', '-cp', 'lib/*', `${program}.java`);
      return ['java', '-cp', `${folder}/lib/*:${folder}`, program];
    },
  };
}

export const libraries: readonly ClientLibrary[] = [
  python('paho for Python', 'paho-mqtt==2.1.0', 'paho_python.py'),
  python('gmqtt', 'gmqtt==0.7.0', 'gmqtt_device.py'),
  {
    name: 'paho for Go',
    needs: 'go',
    isThere: works('go', 'version'),
    async make(folder) {
      cpSync(join(programs, 'paho-golang'), folder, { recursive: true });
      await run(folder, 'go', 'mod', 'init', 'causeway.test/device');
      await run(folder, 'go', 'get', 'github.com/eclipse/paho.golang@v0.23.0');
      await run(folder, 'go', 'mod', 'tidy');
      await run(folder, 'go', 'build', '-o', 'device', '.');
      return [join(folder, 'device')];
    },
  },
  java('paho for Java, v5', 'Paho'),
  java("HiveMQ's client for Java", 'HiveMq'),
  {
    name: 'rumqttc',
    needs: 'cargo',
    isThere: works('cargo', '--version'),
    async make(folder) {
      cpSync(join(programs, 'rumqttc'), folder, { recursive: true });
      await run(folder, 'cargo', 'build', '--quiet');
      return [join(folder, 'target/debug/device')];
    },
  },
  {
    name: 'MQTT.js',
    needs: 'node',
    isThere: true,
    make: async () => [process.execPath, '--import', 'tsx', join(programs, 'mqtt-js.ts')],
  },
  {
    name: 'mosquitto_pub',
    needs: 'mosquitto-clients',
    hasTextOnly: true,
    isThere: works('mosquitto_pub', '--help') || works('which', 'mosquitto_pub'),
    make: async () => ['bash', join(programs, 'mosquitto.sh')],
  },
];
