/**
 * A disk without room, for folders of this process: what is written into a file there fails as it does on a real one, with
 * ENOSPC and a part of the bytes written. Nothing of the code under test is replaced but what the kernel says to it.
 */
import { readlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const full = new Set<string>();
let original: Pick<FileHandle, "write" | "writeFile" | "appendFile"> | undefined;

/** Until it is called again with false. */
export async function setDiskFull(folder: string, isFull: boolean): Promise<void> {
  await patch();
  if (isFull) full.add(folder);
  else full.delete(folder);
}

async function patch(): Promise<void> {
  if (original !== undefined) return;
  const probe = await open("/dev/null", "r");
  const prototype = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { write, writeFile, appendFile } = prototype;
  original = { write, writeFile, appendFile };
  prototype.write = async function (this: FileHandle, data: Uint8Array, ...where: number[]) {
    if (isOnFullDisk(this.fd)) await failHalfWritten(this, data.subarray(where[0] ?? 0));
    return Reflect.apply(write, this, [data, ...where]);
  } as FileHandle["write"];
  prototype.writeFile = async function (data, options) {
    if (isOnFullDisk(this.fd)) await failHalfWritten(this, data);
    return writeFile.call(this, data, options);
  };
  prototype.appendFile = async function (data, options) {
    if (isOnFullDisk(this.fd)) await failHalfWritten(this, data);
    return appendFile.call(this, data, options);
  };
}

function isOnFullDisk(descriptor: number): boolean {
  if (full.size === 0) return false;
  const path = readlinkSync(`/proc/self/fd/${descriptor}`);
  return [...full].some((folder) => path.startsWith(`${folder}/`));
}

async function failHalfWritten(file: FileHandle, data: unknown): Promise<never> {
  const bytes = Buffer.from(typeof data === "string" ? data : (data as Uint8Array));
  await original?.writeFile.call(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
  throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28 });
}
