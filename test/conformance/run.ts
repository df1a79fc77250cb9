// One run of a row: its own clients, client ids and topics, so that rows share one server.
import { RawClient } from './client.ts';
import type { Version } from './client-packets.ts';
import type { Server } from './servers.ts';

export class Run {
  readonly server: Server;
  readonly version: Version;
  /** Of all client ids and topics. */
  readonly prefix: string;
  readonly #clients = new Map<string, RawClient>();
  readonly #all: RawClient[] = [];

  constructor(server: Server, version: Version, prefix: string) {
    this.server = server;
    this.version = version;
    this.prefix = prefix;
  }

  /** A new connection under this name; an earlier one of the name is no longer reached by it. */
  async open(name: string, version: Version = this.version): Promise<RawClient> {
    const client = await RawClient.open(version, this.server.port);
    this.#clients.set(name, client);
    this.#all.push(client);
    return client;
  }

  client(name: string): RawClient {
    const client = this.#clients.get(name);
    if (client === undefined) throw new Error(`no client ${name}`);
    return client;
  }

  clientId(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** A topic or filter of this run alone. `=` in front, or `$` that is no share, leaves it as it is. */
  topic(name: string): string {
    if (name.startsWith('=')) return name.slice(1);
    const share = /^(\$share\/[^/]+)\/(.*)$/.exec(name);
    if (share !== null) return `${share[1]}/${this.prefix}/${share[2]}`;
    return name.startsWith('$') ? name : `${this.prefix}/${name}`;
  }

  /** The name in a row of a topic that has come. */
  nameOf(topic: string | undefined): string | undefined {
    const own = `${this.prefix}/`;
    return topic?.startsWith(own) ? topic.slice(own.length) : topic;
  }

  close(): void {
    for (const client of this.#all) client.drop();
  }
}
