/**
 * Writes a `nvidia-smi` that plays a simulated node's document back, for the front of a pod's PATH. On a node without GPUs it
 * answers as the real one does without devices, so that a GPU which the host does have never shows up there.
 * Effects: two or three files in the folder that is given.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { NodeProfile } from "./node-profiles.ts";

/** @returns the folder to put in front of PATH */
export async function writeFakeNvidiaSmi(folder: string, profile: NodeProfile): Promise<string> {
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  if (profile.nvidiaSmiDocument !== undefined) {
    await writeFile(join(path, "nvidia-smi.xml"), profile.nvidiaSmiDocument);
    await writeFile(join(path, "nvidia-smi.list"), profile.nvidiaSmiList ?? "");
  }
  const script = profile.nvidiaSmiDocument === undefined ? scriptWithoutDevices : buildScript(path, profile);
  await writeFile(join(path, "nvidia-smi"), script, { mode: 0o755 });
  return path;
}

/** Statuses as in nvidia-smi(1): 2 for arguments that it does not take, 6 where no device is found. */
const scriptWithoutDevices = `#!/bin/sh
echo "No devices were found"
exit 6
`;

function buildScript(folder: string, { name, nvidiaSmiList = "" }: NodeProfile): string {
  const banner = [
    "SIMULATED: no such GPU is in this machine. Inferium plays a document back.",
    `Simulated node: ${name}`,
    ...nvidiaSmiList.trim().split("\n"),
  ];
  return `#!/bin/sh
# Simulated: plays a document back. See nvidia-smi -q -x for all of it.
folder=${quote(folder)}
case "$*" in
  "-q -x" | "-x -q" | "--query --xml-format") exec cat "$folder/nvidia-smi.xml" ;;
  "-L" | "--list-gpus") exec cat "$folder/nvidia-smi.list" ;;
  "") printf '%s\\n' ${banner.map(quote).join(" ")} ;;
  *) echo "Simulated nvidia-smi: it takes no arguments, -L, or -q -x; got: $*" >&2; exit 2 ;;
esac
`;
}

/** One word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
