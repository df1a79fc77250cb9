// The stack of webhook-stack.ts as a process of its own: prints where it listens, and stops on SIGTERM.
import { openStack } from './webhook-stack-opened.ts';

const { stop, database, ...stack } = await openStack(JSON.parse(process.argv[2] ?? ''));
process.on('SIGTERM', () => void stop().then(() => process.exit(0)));
console.log(JSON.stringify({ ...stack, database: { reach: database.reach } }));
