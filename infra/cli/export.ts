// `npx causeway export`: stored messages of many topics into a file; after a cut it goes on where it was.
import { exportTo } from './export-client.ts';
import { ExportFileError } from './export-file.ts';
import { help, readExportOptions } from './export-options.ts';
import { exportProgress, exportText } from './export-progress.ts';
import { RequestError } from './request-error.ts';

async function main(): Promise<number> {
  const read = readExportOptions(process.argv.slice(2), process.env);
  if (read.kind === 'help') {
    process.stdout.write(help);
    return 0;
  }
  if (read.kind === 'faulty') {
    process.stderr.write(`${read.problems.join('\n')}\n`);
    return 1;
  }
  const progress = exportProgress(process.stderr);
  try {
    const written = await exportTo(read.options, { onWritten: progress.show });
    progress.end();
    process.stdout.write(`${read.options.out}: ${exportText(written)}\n`);
    return 0;
  } catch (error) {
    progress.end();
    // What the API or the folder said; anything else is a bug.
    if (!(error instanceof RequestError || error instanceof ExportFileError)) throw error;
    const faults =
      error instanceof RequestError
        ? error.faults.map(({ field, rule }) => `--${field} ${rule}`)
        : [];
    process.stderr.write(`${[error.message, ...faults].join('\n  ')}\n`);
    return 1;
  }
}

process.exitCode = await main();
