// Installs Node-RED, and the newer Node that it needs, into a cache folder outside this project's dependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const version = '5.0.7';
/** Node-RED 5 needs Node 22.9. */
const nodeVersion = '24.9.0';
/** The program itself: the package `node` only fetches it in an install script, which npm may not run. */
const nodePackage = `node-${process.platform}-${process.arch}`;

export interface NodeRed {
  readonly version: string;
  readonly nodeFile: string;
  readonly redFile: string;
}

export type NodeRedInstall =
  | { readonly ok: true; readonly nodeRed: NodeRed }
  | { readonly ok: false; readonly reason: string };

export function installNodeRed(): NodeRedInstall {
  const folder = join(tmpdir(), `causeway-bench-node-red-${version}`);
  const nodeRed = {
    version,
    nodeFile: join(folder, 'node_modules', nodePackage, 'bin/node'),
    redFile: join(folder, 'node_modules/node-red/red.js'),
  };
  if (!isInstalled(nodeRed)) {
    mkdirSync(folder, { recursive: true });
    const packages = [`${nodePackage}@${nodeVersion}`, `node-red@${version}`];
    spawnSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', ...packages], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 300_000,
    });
  }
  return isInstalled(nodeRed)
    ? { ok: true, nodeRed }
    : {
        ok: false,
        reason: `npm could not install node-red@${version} with ${nodePackage}@${nodeVersion}`,
      };
}

function isInstalled({ nodeFile, redFile }: NodeRed): boolean {
  return existsSync(redFile) && spawnSync(nodeFile, ['--version']).status === 0;
}
