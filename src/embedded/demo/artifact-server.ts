/**
 * The embedded run's model and data store: serves a fixed set of files over HTTP on loopback, as an object store would.
 * Who fetches from it believes the digest, not this server.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, sha256 } from "../../base/digest.ts";

export interface PublishedArtifact {
  readonly uri: string;
  readonly digest: Digest;
  readonly bytes: number;
}

export interface ArtifactServer {
  /** Serves `bytes` under `name`; the same name again replaces it. */
  publish(name: string, bytes: Uint8Array): PublishedArtifact;
  close(): Promise<void>;
}

export async function startArtifactServer(): Promise<ArtifactServer> {
  const files = new Map<string, Uint8Array>();
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    const bytes = files.get(decodeURIComponent(request.url ?? ""));
    if (request.method !== "GET" || bytes === undefined) {
      response.writeHead(bytes === undefined ? 404 : 405).end();
      return;
    }
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.byteLength });
    response.end(bytes);
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    publish(name, bytes) {
      files.set(`/${name}`, bytes);
      return { uri: `http://127.0.0.1:${port}/${name}`, digest: sha256(bytes), bytes: bytes.byteLength };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}
