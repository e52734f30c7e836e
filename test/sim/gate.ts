/**
 * A TCP hop on loopback whose address stays while what is behind it moves: where members find the pool, and where the
 * operator finds its servers; also what the pool's Service is on a cluster. Shut, it takes no connection and has cut those it had: a partition, or, for everything that
 * a process speaks through, its death as others see it. It can be told to do something at a message, so that a death has its place
 * among the steps of a process and not only its time.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

/** A request is what who connected sends, an answer what comes back to it. */
export type Direction = "request" | "answer";

export interface Gate {
  readonly port: number;
  /** Port on loopback; undefined while there is nothing. */
  setTarget(port: number | undefined): void;
  setOpen(isOpen: boolean): void;
  /** Ends the connections of now; new ones are taken. */
  cut(): void;
  /** Does `act` in place of passing on the next message in this direction after so many, once. @returns takes it back */
  trip(direction: Direction, after: number, act: () => void): () => void;
  close(): Promise<void>;
}

interface Trip {
  readonly direction: Direction;
  readonly act: () => void;
  left: number;
}

/** @param findTarget asked at each connection, in place of what `setTarget` says; whoever comes while there is nothing is turned away */
export async function startGate(findTarget?: () => number | undefined): Promise<Gate> {
  let fixed: number | undefined;
  let isOpen = true;
  const sockets = new Set<Socket>();
  const trips = new Set<Trip>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const passOn = (direction: Direction) =>
    new Transform({
      transform: (chunk, _, done) => {
        const due = [...trips].find((trip) => trip.direction === direction && trip.left-- <= 0);
        if (due === undefined) return done(null, chunk);
        trips.delete(due);
        due.act();
        done();
      },
    });
  const server = createServer((inside) => {
    keep(inside);
    const target = findTarget ? findTarget() : fixed;
    if (target === undefined || !isOpen) return void inside.resetAndDestroy();
    const outside = connect(target, "127.0.0.1");
    keep(outside);
    inside.on("close", () => outside.destroy());
    outside.on("close", () => inside.destroy());
    inside.pipe(passOn("request")).pipe(outside).pipe(passOn("answer")).pipe(inside);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    setTarget: (port) => {
      fixed = port;
    },
    setOpen: (open) => {
      isOpen = open;
      if (!open) cut();
    },
    cut,
    trip: (direction, after, act) => {
      const trip = { direction, act, left: after };
      trips.add(trip);
      return () => void trips.delete(trip);
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
