/**
 * One gateway to a spool: two would bring each other's windows while calls are still added to them. The lock is a socket in the
 * folder that somebody listens on: it ends with its process, whatever ended that, also where process ids mean nothing, in
 * containers that share a volume on one node. Effects: one socket.
 */
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describeError, InferiumError } from "../../base/errors.ts";

export interface FolderLock {
  release(): Promise<void>;
}

/** Of a socket's address, where the kernel has 108 bytes. */
const maxPathBytes = 107;

/** @throws InferiumError SpoolInUse, SpoolUnusable */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const path = join(dir, "lock");
  if (Buffer.byteLength(path) > maxPathBytes) {
    const message = `The spool's folder ${dir} has too long a path: with "/lock" it has ${Buffer.byteLength(path)} bytes; at most ${maxPathBytes} fit. Choose a shorter one.`;
    throw new InferiumError("SpoolUnusable", message, { disposition: "fatal" });
  }
  if (await isListening(path)) {
    const message = `Another gateway uses the spool ${dir}. Give each gateway a folder of its own (INFERIUM_SPOOL_DIR).`;
    throw new InferiumError("SpoolInUse", message, { disposition: "fatal" });
  }
  await rm(path, { force: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `The spool's folder ${dir} cannot be used: ${describeError(cause)}. Give a writable folder of a local disk.`;
      reject(new InferiumError("SpoolUnusable", message, { disposition: "fatal", cause }));
    });
    server.listen(path, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
