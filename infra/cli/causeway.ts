#!/usr/bin/env node
// Composition root of `npx causeway`: the name of a command → its program, which reads what stands behind the name.
import { commandLine } from './command-line.ts';

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  start: () => import('./start.ts'),
  token: () => import('./token.ts'),
  message: () => import('./message.ts'),
  replay: () => import('./replay.ts'),
  tail: () => import('./tail.ts'),
  export: () => import('./export.ts'),
  broker: () => import('./broker.ts'),
};

const help = `A bridge between MQTT and HTTP that acknowledges a message once it is stored.

  ${commandLine('start', '--demo')}   run everything on this machine, with simulated devices
  ${commandLine('start')}          run everything on this machine
  ${commandLine('token')}          make, list and revoke tokens of the API
  ${commandLine('message')}        print what is stored of a message
  ${commandLine('replay')}         give stored messages to a handler again
  ${commandLine('tail')}           print messages as they are stored
  ${commandLine('export')}         write stored messages into a file
  ${commandLine('broker')}         run the embedded MQTT broker alone

With --help behind it, each says what it can be given.
`;

// The SDK announces the end of its Node 20 support on stderr; the Node version is the user's choice.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
// What we ship is minified.
process.setSourceMapsEnabled(true);

const [name = '--help'] = process.argv.splice(2, 1);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command !== undefined) await command();
else if (name === '--help' || name === '-h' || name === 'help') process.stdout.write(help);
else {
  process.stderr.write(
    `there is no command ${name}; there are ${Object.keys(commands).join(', ')}\n`,
  );
  process.exitCode = 1;
}
