/** A file server on loopback that can be slow, wrong, endless or down, as the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

export interface ArtifactServer {
  readonly url: string;
  /** Requests seen for a path. */
  count(path: string): number;
  /** Connections that are open. */
  open(): Promise<number>;
  close(): Promise<void>;
}

export async function startArtifactServer(routes: Readonly<Record<string, Handler>>): Promise<ArtifactServer> {
  const counts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "/";
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    const handler = routes[path];
    if (handler === undefined) response.writeHead(404).end("no such artifact");
    else handler(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    count: (path) => counts.get(path) ?? 0,
    open: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
