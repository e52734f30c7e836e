import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { startAnvil } from "../../../src/embedded/chain/anvil.ts";
import { findAnvil } from "../../../src/embedded/chain/anvil-binary.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "inferium-anvil-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the local chain", () => {
  test("listens on loopback with its id and funded accounts, and is gone after stop", async () => {
    const anvil = await startAnvil({ port: 0, dataDir, logger: silentLogger });
    const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 5_000 });
    expect((await provider.getNetwork()).chainId).toBe(31_337n);
    expect(await provider.getBalance(anvil.accounts[9]!.address)).toBe(10_000n * 10n ** 18n);
    provider.destroy();
    expect(isAlive(anvil.pid)).toBe(true);
    await anvil.stop();
    expect(isAlive(anvil.pid)).toBe(false);
    await anvil.stop();
  });

  test("a busy port is said, with what anvil said", async () => {
    const first = await startAnvil({ port: 0, dataDir, logger: silentLogger });
    const port = Number(new URL(first.rpcUrl).port);
    await expect(startAnvil({ port, dataDir, logger: silentLogger })).rejects.toMatchObject({
      code: "AnvilFailed",
      message: expect.stringMatching(/^Anvil ended with .*in use/s),
    });
    await first.stop();
  });

  test("a binary that cannot be started is said", async () => {
    const missing = startAnvil({ port: 0, dataDir, logger: silentLogger, binary: join(dataDir, "none") });
    await expect(missing).rejects.toMatchObject({ code: "ChildNotStarted", disposition: "fatal" });
  });

  test("a platform without the package is told what to install", () => {
    expect(() => findAnvil("plan9", "mips")).toThrow(
      expect.objectContaining({
        code: "AnvilMissing",
        message: expect.stringContaining("@foundry-rs/anvil-plan9-mips"),
      }),
    );
  });

  test("dies with a parent that was killed", async () => {
    const script = `
      import { startAnvil } from "${new URL("../../../src/embedded/chain/anvil.ts", import.meta.url).pathname}";
      import { silentLogger } from "${new URL("../../../src/base/log.ts", import.meta.url).pathname}";
      const anvil = await startAnvil({ port: 0, dataDir: ${JSON.stringify(dataDir)}, logger: silentLogger });
      console.log(anvil.pid);
      setInterval(() => undefined, 1_000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output] = await once(parent.stdout, "data");
    const pid = Number(String(output));
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000 });
  });
});
