/**
 * The embedded run's model and data store: serves files over HTTP on loopback, as an object store would, and takes what is put under
 * its own digest. Who fetches from it believes the digest, not this server.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, sha256 } from "../../base/digest.ts";
import { createHttpFront, type FrontBounds } from "../../base/http-front.ts";
import { readBody } from "../../pool/read-body.ts";
import { PoolRefusal } from "../../pool/refusal.ts";

export interface PublishedArtifact {
  readonly uri: string;
  readonly digest: Digest;
  readonly bytes: number;
}

export interface ArtifactServer {
  /** Below it anybody may put a file under its digest: `sha256-` and 64 hex digits. */
  readonly storeUri: string;
  /** Serves `bytes` under `name`; the same name again replaces it. */
  publish(name: string, bytes: Uint8Array): PublishedArtifact;
  close(): Promise<void>;
}

const maxPutBytes = 64 * 2 ** 20;
const maxStoreBytes = 512 * 2 ** 20;

/** Its clients are the members of one machine, whose first tasks all fetch at once. */
export const artifactServerBounds: FrontBounds = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 64,
  maxConnections: 512,
  callRate: { perSecond: 500, burst: 2_000 },
};

export async function startArtifactServer(bounds: Partial<FrontBounds> = {}): Promise<ArtifactServer> {
  const files = new Map<string, Uint8Array>();
  let storedBytes = 0;
  const take = async (path: string, request: IncomingMessage) => {
    const digest = /^\/store\/(sha256-[0-9a-f]{64})$/.exec(path)?.[1];
    if (digest === undefined) return 405;
    const bytes = await readBody(request, maxPutBytes);
    if (storedBytes + bytes.byteLength > maxStoreBytes) return 413;
    if (sha256(bytes) !== digest.replace("-", ":")) return 400;
    if (!files.has(path)) storedBytes += bytes.byteLength;
    files.set(path, bytes);
    return 201;
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    const bytes = files.get(path);
    if (request.method === "PUT") {
      void take(path, request).then(
        (status) => response.writeHead(status, { connection: status < 300 ? "keep-alive" : "close" }).end(),
        (error: unknown) => {
          if (error instanceof PoolRefusal) response.writeHead(error.status, { connection: "close" }).end();
          else response.destroy();
        },
      );
      return;
    }
    if (request.method !== "GET" || bytes === undefined) {
      response.writeHead(bytes === undefined ? 404 : 405).end();
      return;
    }
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.byteLength });
    response.end(bytes);
  };
  const { server } = createHttpFront({ bounds: { ...artifactServerBounds, ...bounds }, onRequest });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    storeUri: `http://127.0.0.1:${port}/store`,
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
