// `npx causeway export`: stored messages of many topics into a file; after a cut it goes on where it was.
import { exportTo } from './export-client.ts';
import { help, readExportOptions } from './export-options.ts';
import { exportProgress, exportText } from './export-progress.ts';
import { CommandError, runCommand } from './run-command.ts';

async function main(): Promise<string> {
  const read = readExportOptions(process.argv.slice(2), process.env);
  if (read.kind === 'help') return help;
  if (read.kind === 'faulty') throw new CommandError(read.problems.join('\n'));
  const progress = exportProgress(process.stderr);
  try {
    const written = await exportTo(read.options, { onWritten: progress.show });
    return `${read.options.out}: ${exportText(written)}\n`;
  } finally {
    progress.end();
  }
}

await runCommand(main);
