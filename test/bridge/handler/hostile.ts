// Handlers that speak in their own way, byte by byte over a socket, and what becomes of a request to them.
import { createServer, type Socket } from 'node:net';
import { listenDuringTest } from '../../support/listen-during-test.ts';

export type Talk = (socket: Socket) => void;

/** Speaks as soon as a request begins, and reads it to its end unless the talk pauses the socket. */
export async function startHostile(talk: Talk) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => talk(socket));
  });
  return { url: `http://127.0.0.1:${await listenDuringTest(server)}/`, sockets };
}

/** Writes one chunk after the other, as fast as it is read, until the other side has had enough; counts the bytes. */
export function flood(socket: Socket, chunk: string | Buffer, start = ''): { written: number } {
  const count = { written: 0 };
  socket.write(start);
  const more = () => {
    while (!socket.destroyed && count.written < 1024 ** 3) {
      count.written += chunk.length;
      if (!socket.write(chunk)) return void socket.once('drain', more);
    }
  };
  more();
  return count;
}

export const say =
  (...parts: readonly (string | Buffer)[]): Talk =>
  (socket) => {
    for (const part of parts) socket.write(part);
  };
export const thenEnd =
  (talk: Talk): Talk =>
  (socket) => {
    talk(socket);
    socket.end();
  };
/** One byte after the other, for ever. */
export const trickle =
  (start: string): Talk =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  };

/** How a good answer begins. */
export const head = 'HTTP/1.1 200 OK\r\n';
export const delivered = { verdict: { kind: 'answered' } };
export const held = { verdict: { kind: 'hold' } };
export const rejected = { verdict: { kind: 'rejected' } };
