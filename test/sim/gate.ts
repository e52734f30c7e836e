/**
 * A TCP hop on loopback whose address stays while what is behind it moves: where members find the pool, and where the
 * operator finds its servers; also what the pool's Service is on a cluster. Shut, it takes no connection and has cut those it had: a partition, or, for everything that
 * a process speaks through, its death as others see it.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Gate {
  readonly port: number;
  /** Port on loopback; undefined while there is nothing. */
  setTarget(port: number | undefined): void;
  setOpen(isOpen: boolean): void;
  /** Ends the connections of now; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** @param findTarget asked at each connection, in place of what `setTarget` says; whoever comes while there is nothing is turned away */
export async function startGate(findTarget?: () => number | undefined): Promise<Gate> {
  let fixed: number | undefined;
  let isOpen = true;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer((inside) => {
    keep(inside);
    const target = findTarget ? findTarget() : fixed;
    if (target === undefined || !isOpen) return void inside.resetAndDestroy();
    const outside = connect(target, "127.0.0.1");
    keep(outside);
    inside.on("close", () => outside.destroy());
    outside.on("close", () => inside.destroy());
    inside.pipe(outside).pipe(inside);
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
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
