// The telegraf on the PATH, or else one that go builds of the plugins in use alone, into a cache folder outside this project.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentWith, goFolder } from './programs.ts';

const version = '1.37.2';
/** Telegraf's own build tags: without them it is built with every plugin there is. */
const plugins = ['inputs.mqtt_consumer', 'outputs.http', 'parsers.value', 'serializers.json'];

export interface Telegraf {
  readonly version: string;
  readonly file: string;
}

export type TelegrafInstall =
  | { readonly ok: true; readonly telegraf: Telegraf }
  | { readonly ok: false; readonly reason: string };

export function installTelegraf(): TelegrafInstall {
  const folder = join(tmpdir(), `causeway-bench-telegraf-${version}`);
  const built = join(folder, 'telegraf');
  const found = withVersion('telegraf') ?? withVersion(built);
  if (found !== undefined) return { ok: true, telegraf: found };
  const { error }: { error?: NodeJS.ErrnoException } = spawnSync(
    'go',
    [
      'install',
      '-tags',
      ['custom', ...plugins].join(','),
      '-ldflags',
      `-X github.com/influxdata/telegraf/internal.Version=${version}`,
      `github.com/influxdata/telegraf/cmd/telegraf@v${version}`,
    ],
    {
      env: { ...environmentWith(goFolder), GOBIN: folder },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 900_000,
    },
  );
  if (error?.code === 'ENOENT')
    return { ok: false, reason: 'there is no telegraf, and no go to build it' };
  const telegraf = withVersion(built);
  return telegraf === undefined
    ? { ok: false, reason: `go could not build telegraf ${version}` }
    : { ok: true, telegraf };
}

function withVersion(file: string): Telegraf | undefined {
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  const version = /^Telegraf (\S+)/.exec(stdout ?? '')?.[1];
  return status === 0 && version !== undefined ? { file, version } : undefined;
}
