/** `kubectl inferium` as krew installs it: the packed archive unpacked, its program on the PATH, driven through kubectl itself. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { silentLogger } from "../../../src/base/log.ts";
import { version } from "../../../src/base/version.ts";
import { workerNodes } from "../../../src/cli/context.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { createClient } from "../../../src/kube/client.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { createTransport } from "../../../src/kube/transport.ts";
import { findTool } from "../clients/client-tools.ts";
import { CommandLine } from "../clients/command-line.ts";

const root = new URL("../../../", import.meta.url).pathname;
const kubectlBinary = findTool("kubectl-1.35");
const samples = join(root, "manifests/samples");

interface KrewManifest {
  readonly spec: {
    readonly version: string;
    readonly shortDescription: string;
    readonly platforms: readonly { readonly uri: string; readonly sha256: string; readonly bin: string }[];
  };
}

describe.runIf(kubectlBinary !== undefined)("kubectl inferium", () => {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-plugin-"));
  let server: ApiServer;
  let kubectl: CommandLine;
  let env: Record<string, string>;
  const inferium = (...args: string[]) => kubectl.run(["inferium", ...args], { env });

  beforeAll(async () => {
    const packed = spawnSync(process.execPath, ["kubectl-plugin.ts"], { cwd: root, encoding: "utf8" });
    expect(packed.status, packed.stderr).toBe(0);
    const manifest = parse(readFileSync(join(root, "plugin/inferium.yaml"), "utf8")) as KrewManifest;
    const [platform] = manifest.spec.platforms;
    const bytes = readFileSync(join(root, "plugin", platform?.uri.split("/").at(-1) ?? ""));
    // What krew checks before it installs anything.
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(platform?.sha256);
    expect(manifest.spec.version).toBe(`v${version}`);
    expect(manifest.spec.shortDescription.length).toBeLessThanOrEqual(50);
    const store = join(folder, "store");
    for (const made of [store, join(folder, "bin")]) mkdirSync(made);
    expect(spawnSync("tar", ["xzf", "-", "-C", store], { input: bytes }).status).toBe(0);
    symlinkSync(join(store, platform?.bin ?? ""), join(folder, "bin/kubectl-inferium"));
    env = { PATH: `${join(folder, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin` };
    server = await startApiServer({ logger: silentLogger });
    writeFileSync(join(folder, "kubeconfig"), server.kubeconfig());
    kubectl = new CommandLine(kubectlBinary ?? "", join(folder, "kubeconfig"));
    await kubectl.ok([
      "apply",
      "-f",
      join(root, "crds/inferencetasks.yaml"),
      "-f",
      join(root, "crds/workernodes.yaml"),
    ]);
    await kubectl.ok(["apply", "-f", join(root, "crds/validations.yaml")]);
    await kubectl.ok("wait --for=condition=Established crd --all --timeout=30s");
  }, 60_000);
  afterAll(async () => {
    kubectl?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is a plugin that kubectl lists, and says its version", async () => {
    expect((await kubectl.run("plugin list", { env })).out).toContain(join(folder, "bin/kubectl-inferium"));
    expect((await inferium("version")).out.trim()).toBe(version);
  });

  test("submits manifests of several tasks, each where it says or else in the context's namespace", async () => {
    const text = readFileSync(join(samples, "task-exact.yaml"), "utf8");
    const unplaced = text.replace("sample-exact, namespace: default", "unplaced");
    writeFileSync(join(folder, "two.yaml"), `${text}---\n${unplaced}`);
    const done = await inferium("submit", "-f", join(folder, "two.yaml"), "-o", "json");
    expect(done.code, done.err).toBe(0);
    const made = done.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).metadata);
    expect(made.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      "default/sample-exact",
      "default/unplaced",
    ]);
    expect(await kubectl.ok("get itask -o name")).toContain("inferencetask.inferium.io/unplaced");
    const refused = await inferium("submit", "-f", join(samples, "worker-node-remote.yaml"));
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("expected inferium.io/v1alpha1 InferenceTask");
    const piped = await kubectl.run("inferium submit -f -", { env, input: unplaced.replace("unplaced", "piped") });
    expect(piped.err).toContain("inferencetask piped created in namespace default");
  });

  test("follows a task and says each step", async () => {
    const following = inferium(
      ...["submit", "--name", "followed", "--wait", "--model", "https://m.example/m", "--model-digest"],
      ...[`sha256:${"a".repeat(64)}`, "--input", '{"x":{"dtype":"int8","shape":[1],"data":[1]}}'],
    );
    await expect.poll(async () => (await kubectl.run("get itask followed")).code, { timeout: 30_000 }).toBe(0);
    const ready = { type: "Ready", status: "True", reason: "Settled", message: "In batch 1." };
    const conditions = [{ ...ready, lastTransitionTime: "2026-01-01T00:00:00Z" }];
    const patch = JSON.stringify({ status: { phase: "Succeeded", conditions } });
    await kubectl.ok(["patch", "itask", "followed", "--subresource=status", "--type=merge", "-p", patch]);
    const done = await following;
    expect(done).toMatchObject({ code: 0, out: "default/followed: Succeeded\n" });
    expect(done.err.trim().split("\n").at(-1)).toBe("Succeeded: In batch 1.");
  });

  test("reads kubeconfigs as kubectl does: --kubeconfig, --context, --namespace, and all files of KUBECONFIG", async () => {
    const whole = parse(server.kubeconfig());
    const { clusters, users } = whole;
    const [{ context }] = whole.contexts;
    const write = (name: string, parts: object) => {
      writeFileSync(join(folder, name), stringify({ apiVersion: "v1", kind: "Config", ...parts }));
      return join(folder, name);
    };
    const contexts = [{ name: "other", context: { ...context, namespace: "elsewhere" } }];
    // Users and clusters of one file serve the contexts of another.
    const first = write("first", { contexts, "current-context": "other" });
    const second = write("second", { clusters, users, contexts: whole.contexts, "current-context": "unused" });
    await kubectl.ok("create namespace elsewhere");
    const list = [join(folder, "missing"), first, second].join(":");
    const submit = ["inferium", "submit", "-f", "-"];
    const input = readFileSync(join(samples, "task-exact.yaml"), "utf8").replace(", namespace: default", "");
    const merged = await kubectl.run(submit, { env: { ...env, KUBECONFIG: list }, input });
    expect(merged.err).toContain("created in namespace elsewhere");
    expect(
      (await kubectl.run("config view --minify -o jsonpath={..namespace}", { env: { KUBECONFIG: list } })).out,
    ).toBe("elsewhere");
    const { name } = whole.contexts[0];
    const counted = async (...args: string[]) =>
      JSON.parse((await inferium("top", "-o", "json", ...args)).out).tasks.total;
    expect(await counted("-n", "elsewhere")).toBe(1);
    expect(await counted("--kubeconfig", second, "--context", name, "-n", "default")).toBeGreaterThan(1);
    const wrong = await inferium("top", "--context", "absent");
    expect(wrong).toMatchObject({ code: 1, out: "" });
    expect(wrong.err).toContain(`known contexts: ${name}`);
  });

  test("drains a member: waits until the operator has seen it and counts no task of it, and takes it back", async () => {
    await kubectl.ok(["apply", "-f", join(samples, "worker-node-remote.yaml")]);
    const transport = createTransport(
      createStaticConnection({ server: server.url, ca: server.caPem, token: server.adminToken }),
      { fieldManager: "inferium-operator" },
    );
    const client = createClient(transport, workerNodes);
    const report = (observedGeneration: number, active: number) =>
      client.patch(
        { name: "sample-remote" },
        { kind: "merge", subresource: "status", body: { status: { observedGeneration, active } } },
      );
    // From before the drain: it says nothing of what was given out since.
    await report(1, 0);
    const early = await inferium("drain", "sample-remote", "--timeout", "1");
    expect(early.code).toBe(1);
    expect(early.err).toContain("is cordoned, but not drained after 1 s: no operator has taken notice");
    await report(2, 1);
    const busy = await inferium("drain", "sample-remote", "--timeout", "1");
    expect(busy.err).toContain("it still runs 1 of its tasks");
    const draining = inferium("drain", "sample-remote");
    await report(2, 0);
    expect(await draining).toMatchObject({
      code: 0,
      out: "workernode sample-remote cordoned\nworkernode sample-remote drained\n",
    });
    expect((await inferium("drain", "absent", "sample-remote")).err).toContain("There is no WorkerNode absent");
    expect((await inferium("uncordon", "sample-remote")).code).toBe(0);
    expect((await client.get({ name: "sample-remote" })).spec.cordoned).toBe(false);
    await transport.close();
  });

  test("says what a task waits for, and that there is no such one", async () => {
    expect((await inferium("explain", "sample-exact")).out).toContain("No operator has taken it up yet");
    expect((await inferium("explain", "absent")).err).toContain("There is no task absent in namespace default");
  });

  test("refuses to verify where it does not know the contracts", async () => {
    const done = await inferium("verify", "sample-exact", "--rpc-url", "http://127.0.0.1:1");
    expect(done.err).toContain("There is no ConfigMap inferium-system/inferium-contracts with addresses.json");
  });
});
