/**
 * The server's side of one WebSocket (RFC 6455) over a socket that is already open: handshake, frames, ping and close.
 * Called by the kubelet's endpoint for `exec` and `attach`. Effects: reads and writes the socket; bounded messages.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Clients send what they read at once, in pieces of tens of kilobytes. */
const maxMessageBytes = 16 * 1024 * 1024;
const closeTimeoutMs = 2_000;

const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const closeCode = { normal: 1000, protocolError: 1002, tooBig: 1009 } as const;

export class WebSocket {
  readonly #socket: Duplex;
  #buffered: Buffer;
  #closed = false;

  private constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#buffered = head;
    socket.on("error", () => socket.destroy());
  }

  /** Answers the handshake. @returns a sentence when the request is not one, or offers no protocol of `known` */
  static accept(
    request: IncomingMessage,
    socket: Duplex,
    options: { readonly head: Buffer; readonly known: readonly string[] },
  ): { readonly connection: WebSocket; readonly protocol: string } | string {
    const key = request.headers["sec-websocket-key"];
    if (request.headers.upgrade?.toLowerCase() !== "websocket" || key === undefined)
      return "only a WebSocket upgrade is served here";
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
    const protocol = offered.find((one) => options.known.includes(one));
    if (protocol === undefined)
      return `none of the protocols ${offered.join(", ")} is served: expected ${options.known.join(", ")}`;
    const accept = createHash("sha1").update(`${key}${guid}`).digest("base64");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    lines.push(`Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${protocol}`, "", "");
    socket.write(lines.join("\r\n"));
    return { connection: new WebSocket(socket, options.head), protocol };
  }

  /** Whole messages, until the peer closes or the socket ends. */
  async *messages(): AsyncGenerator<Buffer> {
    const parts: Buffer[] = [];
    for await (const frame of this.#frames()) {
      if (frame.opcode === opcode.close) return this.close();
      if (frame.opcode === opcode.ping) this.#write(opcode.pong, frame.payload);
      if (frame.opcode > opcode.binary) continue;
      parts.push(frame.payload);
      if (!frame.isLast) continue;
      yield Buffer.concat(parts.splice(0));
    }
  }

  /** Resolves when the socket takes more. */
  async send(message: Buffer, signal: AbortSignal): Promise<void> {
    if (this.#closed || this.#write(opcode.binary, message)) return;
    await once(this.#socket, "drain", { signal }).catch(() => undefined);
  }

  /** Sent and not yet taken by the peer. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  close(code: number = closeCode.normal): void {
    if (this.#closed) return;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#write(opcode.close, payload);
    this.#closed = true;
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), closeTimeoutMs);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  #write(kind: number, payload: Buffer): boolean {
    if (this.#closed || this.#socket.destroyed) return true;
    const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
    head[0] = 0x80 | kind;
    head[1] = head.length === 2 ? payload.length : head.length === 4 ? 126 : 127;
    if (head.length === 4) head.writeUInt16BE(payload.length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
    this.#socket.cork();
    this.#socket.write(head);
    const isTaken = this.#socket.write(payload);
    this.#socket.uncork();
    return isTaken;
  }

  async *#frames(): AsyncGenerator<{ opcode: number; isLast: boolean; payload: Buffer }> {
    const chunks = this.#socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const take = async (length: number): Promise<Buffer | undefined> => {
      while (this.#buffered.length < length) {
        const next = await chunks.next().catch(() => ({ done: true as const, value: undefined }));
        if (next.done === true) return undefined;
        this.#buffered = Buffer.concat([this.#buffered, next.value]);
      }
      const taken = this.#buffered.subarray(0, length);
      this.#buffered = this.#buffered.subarray(length);
      return taken;
    };
    for (;;) {
      const head = await take(2);
      if (head === undefined) return;
      const [first = 0, second = 0] = head;
      const length = await this.#readLength(second & 0x7f, take);
      // A client masks all it sends; one that does not is no client of this protocol.
      if (length === undefined || (second & 0x80) === 0) return this.close(closeCode.protocolError);
      if (length > maxMessageBytes) return this.close(closeCode.tooBig);
      const mask = await take(4);
      const payload = await take(length);
      if (mask === undefined || payload === undefined) return;
      yield { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, payload: unmask(payload, mask) };
    }
  }

  async #readLength(short: number, take: (length: number) => Promise<Buffer | undefined>): Promise<number | undefined> {
    if (short < 126) return short;
    if (short === 126) return (await take(2))?.readUInt16BE();
    const long = (await take(8))?.readBigUInt64BE();
    return long === undefined ? undefined : Number(long);
  }
}

function unmask(payload: Buffer, mask: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(payload.length);
  for (let index = 0; index < payload.length; index++) plain[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return plain;
}
