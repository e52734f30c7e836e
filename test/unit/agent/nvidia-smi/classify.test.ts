import { describe, expect, test } from "vitest";
import { classifyFailure } from "../../../../src/agent/nvidia-smi/classify.ts";
import type { DirectAnswer } from "../../../../src/agent/nvidia-smi/reader-answer.ts";

const limits = { command: "nvidia-smi", maxOutputBytes: 1_000 };
const aRun = (parts: Partial<DirectAnswer>): DirectAnswer => ({
  from: "direct",
  stdout: "",
  stderr: "",
  exitCode: 0,
  systemError: undefined,
  packageError: "",
  ...parts,
});

describe("what a run without a document means", () => {
  const cases: readonly { name: string; run: Partial<DirectAnswer>; want: string | undefined; saying?: string }[] = [
    { name: "a document", run: { stdout: "<nvidia_smi_log></nvidia_smi_log>" }, want: undefined },
    {
      name: "a document beside a warning and status 14",
      run: { stdout: "<nvidia_smi_log></nvidia_smi_log>", stderr: "infoROM is corrupted", exitCode: 14 },
      want: undefined,
    },
    { name: "no command", run: { systemError: "ENOENT", exitCode: undefined }, want: "NotFound" },
    { name: "a wrapper that finds no command", run: { exitCode: 127, stderr: "sh: not found" }, want: "NotFound" },
    {
      name: "a command that may not be run",
      run: { systemError: "EACCES", exitCode: undefined },
      want: "Failed",
      saying: "EACCES",
    },
    {
      name: "output without end",
      run: { systemError: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", stdout: "<nvidia_smi_log>", exitCode: undefined },
      want: "Garbled",
      saying: "more than 1000 bytes",
    },
    { name: "nothing at all", run: {}, want: "Garbled", saying: "printed nothing" },
    { name: "words of another program", run: { stdout: "hello" }, want: "Garbled", saying: '"hello"' },
    {
      name: "a library that does not fit the driver",
      run: { stdout: "Failed to initialize NVML: Driver/library version mismatch", exitCode: 18 },
      want: "DriverMismatch",
      saying: "Driver/library version mismatch",
    },
    {
      name: "the same words with status 255",
      run: { stdout: "Failed to initialize NVML: Unknown Error", exitCode: 255 },
      want: "DriverMismatch",
    },
    {
      name: "no driver",
      run: { stdout: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", exitCode: 9 },
      want: "DriverMismatch",
    },
    { name: "status 9 without a word", run: { exitCode: 9 }, want: "DriverMismatch" },
    { name: "no device, with status 6", run: { stdout: "No devices were found", exitCode: 6 }, want: "NoDevices" },
    {
      name: "no device, with status 0 as older drivers do",
      run: { stdout: "No devices were found" },
      want: "NoDevices",
    },
    {
      name: "another status",
      run: { stderr: "boom\nmore", exitCode: 3 },
      want: "Failed",
      saying: 'status 3 and said "boom"',
    },
    { name: "a signal", run: { exitCode: undefined }, want: "Failed", saying: "was killed" },
  ];
  test.each(cases)("$name", ({ run, want, saying = "" }) => {
    const failure = classifyFailure(aRun(run), limits);
    expect(failure?.kind).toBe(want);
    expect(failure?.message ?? "").toContain(saying);
  });
});
