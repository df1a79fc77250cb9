// The user's causeway.config.* in the folder that a command runs in.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { faultText, type Parsed } from '../../functions/contract/parse.ts';
import { type Deployment, type DeploymentInput, parseDeployment } from '../config/config.ts';

/** The first that is there is read. */
const names = ['causeway.config.ts', 'causeway.config.mjs', 'causeway.config.js'] as const;

/** Where there is none: everything is stored, and no broker but the embedded one is used. */
const ordinary: DeploymentInput = {
  broker: { url: 'mqtts://broker.example.com:8883' },
  routes: [{ name: 'store', filter: '#' }],
};

export type ReadConfig =
  | {
      readonly ok: true;
      readonly config: Deployment;
      /** Undefined where there is none. */
      readonly file: string | undefined;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

export async function readConfigFile(folder: string): Promise<ReadConfig> {
  const file = names.find((name) => existsSync(resolve(folder, name)));
  if (file === undefined) return checked(undefined, ordinary);
  try {
    const { default: document } = await import(pathToFileURL(resolve(folder, file)).href);
    return checked(file, document);
  } catch (error) {
    return { ok: false, problems: [`${file}: ${reasonOf(error)}`] };
  }
}

function checked(file: string | undefined, document: unknown): ReadConfig {
  const parsed: Parsed<Deployment> = parseDeployment(document);
  if (parsed.ok) return { ok: true, config: parsed.value, file };
  return { ok: false, problems: parsed.faults.map((fault) => `${file}: ${faultText(fault)}`) };
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return `Node ${process.versions.node} reads no TypeScript: use Node 22.18 or newer, or name the file causeway.config.mjs`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
