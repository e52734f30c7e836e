/**
 * The embedded run's model and data store: serves files over HTTP on loopback, as an object store would, and takes what is put under
 * its own digest. Who fetches from it believes the digest, not this server.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, sha256 } from "../../base/digest.ts";

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

export async function startArtifactServer(): Promise<ArtifactServer> {
  const files = new Map<string, Uint8Array>();
  let storedBytes = 0;
  const take = async (path: string, request: IncomingMessage) => {
    const digest = /^\/store\/(sha256-[0-9a-f]{64})$/.exec(path)?.[1];
    if (digest === undefined) return 405;
    const bytes = await readBody(request);
    if (bytes === undefined || storedBytes + bytes.byteLength > maxStoreBytes) return 413;
    if (sha256(bytes) !== digest.replace("-", ":")) return 400;
    if (!files.has(path)) storedBytes += bytes.byteLength;
    files.set(path, bytes);
    return 201;
  };
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const bytes = files.get(path);
    if (request.method === "PUT") {
      void take(path, request).then(
        (status) => response.writeHead(status, { connection: status < 300 ? "keep-alive" : "close" }).end(),
        () => response.destroy(),
      );
      return;
    }
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

/** Undefined where there is more than a file may have. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > maxPutBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}
