/**
 * The instruction set that decides which kernels onnxruntime picks, and with them the last bits of float results. The
 * names are the kernel's flags (/proc/cpuinfo), so that a reader can look them up.
 */
import { readFileSync } from "node:fs";

/** Best first: the first flag present names the machine. x86, then Arm. */
const ranked = [
  "amx_int8",
  "avx512_vnni",
  "avx512f",
  "avx_vnni",
  "avx2",
  "avx",
  "sse4_1",
  "sve2",
  "i8mm",
  "asimddp",
  "asimd",
] as const;

/** @param cpuinfo text of /proc/cpuinfo */
export function parseIsa(cpuinfo: string): string | undefined {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  const flags = new Set(line.trim().split(/\s+/));
  return ranked.find((flag) => flags.has(flag));
}

/** Falls back to the architecture's name where the kernel does not list flags (macOS, Windows). */
export function readIsa(path = "/proc/cpuinfo"): string {
  try {
    return parseIsa(readFileSync(path, "utf8")) ?? process.arch;
  } catch {
    return process.arch;
  }
}
