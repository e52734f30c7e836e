/**
 * A member's connections to the pool: one, and a further one only while a call would have to wait behind another (a claim waits at the
 * server for work while a heartbeat goes). The pool bounds connections, and each costs it memory: the oldest that is free is taken, so
 * that the others fall idle and end. Called by client-transport.ts. Effects: sockets.
 */
import { type buildConnector, Client } from "undici";

export interface ConnectionOptions {
  readonly origin: string;
  readonly most: number;
  readonly connect: buildConnector.BuildOptions | buildConnector.connector;
  readonly furtherIdleMs?: number;
}

export interface Connections {
  /** Lends a connection that nobody else uses until `work` has ended; waits for one where as many as may be are in use. */
  use<T>(work: (connection: Client) => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** Shorter than the server keeps an idle connection. */
const firstIdleMs = 60_000;
/** Longer than members pause between two heartbeats: a handshake for each would cost more than the connection. */
const usualFurtherIdleMs = 15_000;

interface Connection {
  readonly client: Client;
  busy: boolean;
}

export function createConnections(options: ConnectionOptions): Connections {
  const { origin, most, connect } = options;
  const connections: Connection[] = [];
  const waiting = new Set<(connection: Connection) => void>();

  const open = (): Connection => {
    const idleMs = connections.length === 0 ? firstIdleMs : (options.furtherIdleMs ?? usualFurtherIdleMs);
    const client = new Client(origin, {
      connect,
      allowH2: false,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
    });
    const connection = { client, busy: true };
    connections.push(connection);
    return connection;
  };
  const take = async (signal: AbortSignal): Promise<Connection> => {
    const free = connections.find(({ busy }) => !busy);
    if (free === undefined) return connections.length < most ? open() : waitForOne(signal);
    free.busy = true;
    return free;
  };
  const waitForOne = (signal: AbortSignal) =>
    new Promise<Connection>((resolve, reject) => {
      const onAbort = () => {
        waiting.delete(lend);
        reject(signal.reason);
      };
      const lend = (connection: Connection) => {
        signal.removeEventListener("abort", onAbort);
        resolve(connection);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.add(lend);
    });
  const giveBack = (connection: Connection) => {
    const [next] = waiting;
    if (next === undefined) connection.busy = false;
    else {
      waiting.delete(next);
      next(connection);
    }
  };

  return {
    async use(work, signal) {
      const connection = await take(signal);
      try {
        return await work(connection.client);
      } finally {
        giveBack(connection);
      }
    },
    async close() {
      await Promise.all(connections.map(({ client }) => client.destroy()));
    },
  };
}
