import { fork } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NvidiaSmiFailure } from "../../../src/agent/nvidia-smi/failure.ts";
import { parseNvidiaSmi } from "../../../src/agent/nvidia-smi/parse.ts";
import { readNvidiaSmi } from "../../../src/agent/nvidia-smi/read.ts";
import { writeFakeNvidiaSmi } from "../../../src/embedded/nodes/fake-nvidia-smi.ts";
import { nodeProfiles } from "../../../src/embedded/nodes/node-profiles.ts";
import { aDocument, aGpuElement } from "../../unit/agent/nvidia-smi/a-document.ts";
import { FakeSmi } from "./fake-smi.ts";

let fake: FakeSmi;
beforeEach(() => {
  fake = new FakeSmi();
});
afterEach(() => fake.remove());

const options = () => ({
  command: "nvidia-smi",
  timeoutMs: 20_000,
  maxOutputBytes: 256 * 1024,
  environment: { PATH: fake.path },
});

async function failureOf(read: Promise<unknown>): Promise<NvidiaSmiFailure> {
  return read.then(
    () => {
      throw new Error("it was read");
    },
    (error: NvidiaSmiFailure) => error,
  );
}

describe("documents that are read", () => {
  test("one GPU, which the package hands over as an object", async () => {
    fake.print(aDocument(), 'echo x >> "$here/runs"');
    expect(await readNvidiaSmi(options())).toEqual(parseNvidiaSmi(aDocument()));
    expect(fake.countRuns()).toBe(1);
  });

  test("two GPUs, which the package hands over as an array", async () => {
    const document = aDocument([aGpuElement(), aGpuElement({ uuid: "GPU-2222-3333" })]);
    fake.print(document);
    expect((await readNvidiaSmi(options())).gpus).toHaveLength(2);
  });

  test("a warning on stderr, for which the package drops the document", async () => {
    fake.print(aDocument(), 'echo x >> "$here/runs"; echo "WARNING: infoROM is corrupted" >&2');
    expect(await readNvidiaSmi(options())).toEqual(parseNvidiaSmi(aDocument()));
    expect(fake.countRuns()).toBe(2);
  });

  test("a good document with status 14", async () => {
    fake.write(`cat <<'END'\n${aDocument()}END\nexit 14`);
    expect(await readNvidiaSmi(options())).toEqual(parseNvidiaSmi(aDocument()));
  });

  test("a command that is given by its path", async () => {
    fake.print(aDocument());
    const direct = { ...options(), command: join(fake.folder, "nvidia-smi"), environment: { PATH: "/usr/bin:/bin" } };
    expect((await readNvidiaSmi(direct)).gpus).toHaveLength(1);
  });

  test.each(nodeProfiles.filter(({ nvidiaSmiDocument }) => nvidiaSmiDocument !== undefined))(
    "the package and the own parser agree on $name",
    async (profile) => {
      await writeFakeNvidiaSmi(fake.folder, profile);
      expect(await readNvidiaSmi(options())).toEqual(parseNvidiaSmi(profile.nvidiaSmiDocument ?? ""));
    },
  );
});

describe("failures of the command", () => {
  const cases: readonly { name: string; script: string; want: string; saying: string }[] = [
    { name: "nothing printed", script: "exit 0", want: "Garbled", saying: "printed nothing" },
    { name: "words printed", script: "echo hello", want: "Garbled", saying: '"hello"' },
    { name: "half a document", script: "echo '<nvidia_smi_log><gpu>'", want: "Garbled", saying: "no valid XML" },
    { name: "status 9", script: "exit 9", want: "DriverMismatch", saying: "cannot reach the driver" },
    {
      name: "a library that does not fit",
      script: "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
      want: "DriverMismatch",
      saying: "version mismatch",
    },
    { name: "no device", script: "echo 'No devices were found'; exit 6", want: "NoDevices", saying: "no device" },
    { name: "another status", script: "echo boom >&2; exit 3", want: "Failed", saying: 'status 3 and said "boom"' },
    {
      name: "output without end",
      script: "exec yes '<nvidia_smi_log>'",
      want: "Garbled",
      saying: "more than 262144 bytes",
    },
    { name: "death by a signal", script: "kill -9 $$", want: "Failed", saying: "was killed" },
  ];
  test.each(cases)("$name", async ({ script, want, saying }) => {
    fake.write(script);
    const failure = await failureOf(readNvidiaSmi(options()));
    expect(failure.kind).toBe(want);
    expect(failure.message).toContain(saying);
  });

  test("no such command", async () => {
    const failure = await failureOf(readNvidiaSmi(options()));
    expect(failure).toMatchObject({ kind: "NotFound", meansNoGpu: true });
  });

  test("no such path", async () => {
    const failure = await failureOf(readNvidiaSmi({ ...options(), command: join(fake.folder, "absent") }));
    expect(failure.kind).toBe("NotFound");
  });
});

/** Whether a process lives, by the number that it wrote down. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie is dead: nobody has waited for it yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error("it did not happen in 10 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Hangs, with a child of its own that hangs too, as a wrapper script would. */
const hanging =
  'sleep 600 & echo $! > "$here/child"; echo $$ > "$here/self.part"; mv "$here/self.part" "$here/self"; wait';
const writtenPid = (name: string) => Number(readFileSync(join(fake.folder, name), "utf8"));

describe("a command that hangs", () => {
  test("is killed with all its children when its time is up", async () => {
    fake.write(hanging);
    const failure = await failureOf(readNvidiaSmi({ ...options(), timeoutMs: 3_000 }));
    expect(failure).toMatchObject({ kind: "TimedOut", meansNoGpu: false });
    expect(existsSync(join(fake.folder, "self"))).toBe(true);
    await until(() => !isAlive(writtenPid("self")) && !isAlive(writtenPid("child")));
  });

  test("is killed when the agent is stopped", async () => {
    fake.write(hanging);
    const stopping = new AbortController();
    const reading = readNvidiaSmi({ ...options(), signal: stopping.signal });
    const failed = expect(reading).rejects.toThrow("stop now");
    await until(() => existsSync(join(fake.folder, "self")));
    stopping.abort(new Error("stop now"));
    await failed;
    await until(() => !isAlive(writtenPid("self")) && !isAlive(writtenPid("child")));
  });

  test("dies with an agent that is killed", async () => {
    fake.write(hanging);
    const agent = fork(new URL("./read-once.ts", import.meta.url), [fake.path], { execArgv: [], stdio: "ignore" });
    await until(() => existsSync(join(fake.folder, "self")));
    agent.kill("SIGKILL");
    await until(() => !isAlive(writtenPid("self")) && !isAlive(writtenPid("child")));
  });

  test("an agent that is stopped already reads nothing", async () => {
    fake.print(aDocument(), 'echo x >> "$here/runs"');
    await expect(readNvidiaSmi({ ...options(), signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow(
      "stopped",
    );
    expect(existsSync(join(fake.folder, "runs"))).toBe(false);
  });
});
