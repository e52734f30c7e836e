/**
 * The images a process kubelet can run: a table from image name to a local command. There is nothing to pull, so a name
 * that is not in the table is `ErrImageNeverPull`. Pure.
 */
import { InferiumError } from "../../base/errors.ts";

export interface ProcessImage {
  readonly entrypoint: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
}

export type ImageTable = Readonly<Record<string, ProcessImage>>;

/** @throws InferiumError ErrImageNeverPull */
export function findImage(images: ImageTable, name: string): ProcessImage {
  const wanted = normalizeImageName(name);
  const found = Object.entries(images).find(([known]) => normalizeImageName(known) === wanted);
  if (found !== undefined) return found[1];
  throw new InferiumError(
    "ErrImageNeverPull",
    `Container image "${name}" is not known to this process kubelet, which runs local commands and pulls nothing. ` +
      `It has: ${Object.keys(images).join(", ") || "none"}.`,
  );
}

/** "docker.io/library/busybox:latest" and "busybox" are one image. */
export function normalizeImageName(name: string): string {
  const short = name.replace(/^docker\.io\//, "").replace(/^library\//, "");
  const lastPart = short.slice(short.lastIndexOf("/") + 1);
  return /[:@]/.test(lastPart) ? short : `${short}:latest`;
}
