/** Clients of the worst kinds, over bare sockets. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const open: Socket[] = [];

export function hangUp(): void {
  for (const socket of open.splice(0)) socket.destroy();
}

export interface Dialled {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  said(): string;
}

/** Without TLS also where the server wants it, if told so. */
export async function dial(port: number, isTls: boolean): Promise<Dialled> {
  const at = { host: "127.0.0.1", port };
  const socket = isTls ? connectTls({ ...at, rejectUnauthorized: false }) : connectTcp(at);
  open.push(socket);
  let text = "";
  socket.on("data", (bytes: Buffer) => (text += bytes.toString())).on("error", () => undefined);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  await Promise.race([once(socket, isTls ? "secureConnect" : "connect"), ended]);
  return { socket, ended, said: () => text };
}

/** Sends `begin`, then the text byte by byte for as long as the other side lets it. */
export async function drip({ socket, ended }: Dialled, begin: string, text: string): Promise<void> {
  socket.write(begin);
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ""), 20);
  await ended;
  clearInterval(timer);
}

/** @returns status line, headers and body of the first answer, once the other side has closed or `isEnough` of it came */
export async function ask(dialled: Dialled, text: string | Buffer): Promise<string> {
  dialled.socket.write(text);
  while (!isWhole(dialled.said())) {
    const more = once(dialled.socket, "data").catch(() => undefined);
    if ((await Promise.race([more, dialled.ended.then(() => "ended")])) === "ended") break;
  }
  return dialled.said();
}

function isWhole(answer: string): boolean {
  const [head, body] = answer.split(/\r\n\r\n/, 2);
  if (body === undefined) return false;
  const length = /^content-length: *([0-9]+)/im.exec(head ?? "")?.[1];
  if (length !== undefined) return Buffer.byteLength(body) >= Number(length);
  return !/^transfer-encoding/im.test(head ?? "") || answer.endsWith("\r\n0\r\n\r\n");
}
