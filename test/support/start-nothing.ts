// Of the unit tests: whatever would start something fails, and says where such a test belongs.
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

function refuse(): never {
  throw new Error(
    'a unit test starts nothing: what it starts has to be imported as test/support/unit-tests.ts knows it',
  );
}

net.Server.prototype.listen = refuse;
net.Socket.prototype.connect = refuse;
childProcess.ChildProcess.prototype['spawn' as never] = refuse as never;
childProcess.spawnSync = refuse;
childProcess.execFileSync = refuse;
childProcess.execSync = refuse;
syncBuiltinESMExports();
