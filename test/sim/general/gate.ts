/**
 * A TCP hop on loopback whose address stays while what is behind it moves: where members find the pool, and where the
 * operator finds its servers. Shut, it takes no connection and has cut those it had: a partition, or, for everything that
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

export async function startGate(): Promise<Gate> {
  let target: number | undefined;
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
      target = port;
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
