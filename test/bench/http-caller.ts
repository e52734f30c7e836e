/**
 * One kept-alive connection that sends the same bytes again and again and reads whole answers: as little work as an HTTP client
 * can do, because it takes a share of the two cores that are measured.
 */
import { connect, type Socket } from "node:net";

export interface HttpCaller {
  /** Resolves with the answer's head when all of it is there. */
  call(): Promise<string>;
  close(): void;
}

const headEnd = Buffer.from("\r\n\r\n");

export async function openCaller(url: string, request: Buffer): Promise<HttpCaller> {
  const { hostname, port } = new URL(url);
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true }, () => resolve(opened));
    opened.once("error", reject);
  });
  let waiting: { resolve: (head: string) => void; reject: (error: Error) => void } | undefined;
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const at = received.indexOf(headEnd);
    if (at < 0) return;
    const head = received.toString("latin1", 0, at);
    const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1] ?? Number.NaN);
    if (!(received.length >= at + 4 + length)) return;
    received = received.subarray(at + 4 + length);
    waiting?.resolve(head);
  });
  const fail = () => waiting?.reject(new Error("the server closed the connection"));
  socket.on("error", fail).on("close", fail);
  return {
    call: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => void socket.destroy(),
  };
}

export function buildRequest(path: string, body: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({ host: "bench", ...headers, "content-length": String(body.length) });
  const head = [`POST ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}
