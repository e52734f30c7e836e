/** A hostPath volume: the path itself, checked or made as its type says. Effects: may create a directory or a file. */
import { mkdir, open, stat } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { InferiumError } from "../../base/errors.ts";
import { isNotFound } from "./file-errors.ts";

export async function prepareHostPath(source: { readonly path: string; readonly type?: string }): Promise<string> {
  if (!isAbsolute(source.path)) throw mismatch(source, "an absolute path");
  if (source.type === "DirectoryOrCreate") await mkdir(source.path, { recursive: true });
  if (source.type === "FileOrCreate") {
    await mkdir(dirname(source.path), { recursive: true });
    await (await open(source.path, "a")).close();
  }
  const found = await statIfAny(source.path);
  const type = source.type ?? "";
  if (type.startsWith("Directory") && found?.isDirectory() !== true) throw mismatch(source, "a directory");
  if (type.startsWith("File") && found?.isFile() !== true) throw mismatch(source, "a file");
  if (type === "Socket" && found?.isSocket() !== true) throw mismatch(source, "a socket");
  if (type.endsWith("Device") && found === undefined) throw mismatch(source, "a device");
  return source.path;
}

async function statIfAny(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function mismatch(source: { readonly path: string; readonly type?: string }, expected: string): InferiumError {
  return new InferiumError(
    "CreateContainerConfigError",
    `hostPath type check failed: ${source.path} is not ${expected} (type ${source.type || "any"}).`,
    { disposition: "retry" },
  );
}
