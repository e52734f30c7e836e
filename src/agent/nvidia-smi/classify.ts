/** What a run of the command that left no document means. Pure. */
import { NvidiaSmiFailure } from "./failure.ts";
import type { DirectAnswer } from "./reader-answer.ts";

export interface RunLimits {
  readonly command: string;
  readonly maxOutputBytes: number;
}

// Statuses of nvidia-smi(1): 6 no device, 9 driver not loaded, 12 NVML library not found, 18 library and driver differ.
const driverStatuses = new Set([9, 12, 18]);
const driverWords = /Failed to initialize NVML|couldn't communicate with the NVIDIA driver|couldn't find libnvidia-ml/i;
const noDeviceWords = /No devices were found/i;
/** As a shell answers for a command that it cannot find; a wrapper script passes it on. */
const shellNotFound = 127;

/** Undefined where the run left something that may be a document. */
export function classifyFailure(run: DirectAnswer, limits: RunLimits): NvidiaSmiFailure | undefined {
  const said = firstLine(`${run.stderr}\n${run.stdout}`);
  if (run.systemError === "ENOENT" || run.exitCode === shellNotFound) {
    return new NvidiaSmiFailure("NotFound", `There is no command ${limits.command} here (PATH was searched).`);
  }
  if (run.systemError === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    const message = `${limits.command} -q -x printed more than ${limits.maxOutputBytes} bytes; expected at most that.`;
    return new NvidiaSmiFailure("Garbled", message);
  }
  if (run.systemError !== undefined) {
    return new NvidiaSmiFailure("Failed", `${limits.command} cannot be run: ${run.systemError}.`);
  }
  if (run.stdout.includes("<nvidia_smi_log>")) return undefined;
  return classifyWords(run, said) ?? classifyStatus(run, said, limits.command);
}

function classifyWords(run: DirectAnswer, said: string): NvidiaSmiFailure | undefined {
  const words = `${run.stderr}\n${run.stdout.slice(0, 2_000)}`;
  if (driverWords.test(words) || driverStatuses.has(run.exitCode ?? 0)) {
    const message = `nvidia-smi cannot reach the driver: "${said}"; check that driver and library have one version.`;
    return new NvidiaSmiFailure("DriverMismatch", message);
  }
  if (noDeviceWords.test(words) || run.exitCode === 6) {
    return new NvidiaSmiFailure("NoDevices", "nvidia-smi found no device.");
  }
  return undefined;
}

/** Statuses 0 and 14 (a corrupted infoROM, only a warning) promise a document. */
function classifyStatus(run: DirectAnswer, said: string, command: string): NvidiaSmiFailure {
  if (run.exitCode === 0 || run.exitCode === 14) {
    const got = run.stdout.trim() === "" ? "printed nothing" : `printed "${run.stdout.trim().slice(0, 80)}"`;
    return new NvidiaSmiFailure("Garbled", `${command} -q -x ${got}; expected an XML document.`);
  }
  const status = run.exitCode === undefined ? "was killed" : `ended with status ${run.exitCode}`;
  return new NvidiaSmiFailure("Failed", `${command} -q -x ${status} and said "${said}".`);
}

function firstLine(text: string): string {
  return (text.trim().split("\n")[0] ?? "").slice(0, 200);
}
