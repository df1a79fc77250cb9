// `npx causeway export`: stored messages of many topics into a file; after a cut it goes on where it was.
import { runRead } from './api-command.ts';
import { exportTo } from './export-client.ts';
import { type ExportOptions, help, readExportOptions } from './export-options.ts';
import { exportProgress, exportText } from './export-progress.ts';

async function write(options: ExportOptions): Promise<string> {
  const progress = exportProgress(process.stderr);
  try {
    const written = await exportTo(options, { onWritten: progress.show });
    return `${options.out}: ${exportText(written)}\n`;
  } finally {
    progress.end();
  }
}

const call = { args: process.argv.slice(2), environment: process.env };
await runRead(readExportOptions(call), help, write);
