/** What the pool's Service is on a cluster: one address that leads to whichever operator leads just now. */
import { connect, createServer, type Socket } from "node:net";

export interface PoolService {
  readonly url: string;
  close(): Promise<void>;
}

/** @param findUrl of the leader's pool API; a caller who comes while nobody leads is turned away, and asks again */
export async function startPoolService(findUrl: () => string | undefined): Promise<PoolService> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    const url = findUrl();
    if (url === undefined) return void socket.destroy();
    const onward = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
    onward.on("error", () => socket.destroy());
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
