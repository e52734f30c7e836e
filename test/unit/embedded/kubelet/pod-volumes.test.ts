import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../../src/base/log.ts";
import type { PodSpec } from "../../../../src/embedded/kubelet/core-types.ts";
import { createPodAccess } from "../../../../src/embedded/kubelet/pod-access.ts";
import type { PodApi } from "../../../../src/embedded/kubelet/pod-api.ts";
import { createPodPaths } from "../../../../src/embedded/kubelet/pod-paths.ts";
import { PodVolumes } from "../../../../src/embedded/kubelet/pod-volumes.ts";
import { createTokenKeeper } from "../../../../src/embedded/kubelet/token-keeper.ts";
import { aPod, FakeClock, facts } from "./builders.ts";

let root: string;
let clock: FakeClock;
let configMap: Map<string, Uint8Array> | undefined;
let account: { automount: boolean } | undefined;
let issued: number;
const ending: AbortController[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "volumes-"));
  clock = new FakeClock();
  configMap = new Map([["k", Buffer.from("old")]]);
  account = { automount: true };
  issued = 0;
});
afterEach(async () => {
  for (const controller of ending.splice(0)) controller.abort(new Error("test over"));
  await rm(root, { recursive: true, force: true });
});

function anApi(): PodApi {
  return {
    configMap: async () => configMap,
    secret: async () => undefined,
    writeStatus: async () => true,
    finishDeletion: async () => undefined,
    readServiceAccount: async () => account,
    issueToken: async () => ({ token: `token-${++issued}`, expiresAt: clock.now() + 3_600_000 }),
  };
}

function prepare(spec: Partial<PodSpec>) {
  const api = anApi();
  const pod = aPod(spec);
  const paths = createPodPaths(root, "uid-1");
  const controller = new AbortController();
  ending.push(controller);
  const access = createPodAccess({ server: "https://api", caPem: "CA" });
  const tokens = createTokenKeeper(pod, api, clock);
  const rest = { facts, clock, logger: silentLogger, signal: controller.signal };
  return { paths, volumes: new PodVolumes({ pod, paths, api, access, tokens, ...rest }) };
}

/** Real files are written while fake time stands still. */
async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`did not happen: ${what}`);
}

const withConfigMap: Partial<PodSpec> = {
  automountServiceAccountToken: false,
  volumes: [{ name: "v", configMap: { name: "conf" } }],
};

describe("the volumes of a pod", () => {
  it("follow a changed config map within a minute", async () => {
    const { volumes, paths } = prepare(withConfigMap);
    await volumes.prepare();
    const read = () => readFile(join(paths.volume("v"), "k"), "utf8");
    expect(await read()).toBe("old");
    configMap = new Map([["k", Buffer.from("new")]]);
    await clock.advance(60_000);
    await until("the file changes", async () => (await read()) === "new");
  });

  it("keep the old files while the config map is missing", async () => {
    const { volumes, paths } = prepare(withConfigMap);
    await volumes.prepare();
    configMap = undefined;
    await clock.advance(120_000);
    expect(await readFile(join(paths.volume("v"), "k"), "utf8")).toBe("old");
  });

  it("can be tried again after a failure", async () => {
    const { volumes } = prepare(withConfigMap);
    configMap = undefined;
    await expect(volumes.prepare()).rejects.toThrow(/configmap "conf" not found/);
    configMap = new Map();
    expect((await volumes.prepare()).volumeDirs.has("v")).toBe(true);
  });

  it("are not refreshed once the pod is over", async () => {
    const { volumes } = prepare(withConfigMap);
    await volumes.prepare();
    volumes.stopRefresh();
    await clock.advance(1);
    expect(clock.sleeping).toBe(0);
  });

  it("name the type that cannot be provided", async () => {
    const nfs = { name: "v", nfs: { server: "s", path: "/" } } as unknown as { name: string };
    const { volumes } = prepare({ automountServiceAccountToken: false, volumes: [nfs] });
    await expect(volumes.prepare()).rejects.toThrow(/'v' is of type nfs, which a process kubelet cannot provide/);
  });

  const hostPaths = [
    { type: "Directory", path: "/no-such-dir", want: /is not a directory/ },
    { type: "File", path: "/tmp", want: /is not a file/ },
    { type: "", path: "relative", want: /is not an absolute path/ },
  ];
  it.each(hostPaths)("refuse hostPath $path of type '$type'", async ({ type, path, want }) => {
    const volume = { name: "v", hostPath: { path, type } };
    const { volumes } = prepare({ automountServiceAccountToken: false, volumes: [volume] });
    await expect(volumes.prepare()).rejects.toThrow(want);
  });
});

describe("a pod's access to the API server", () => {
  it("is a kubeconfig with a token that only its owner reads", async () => {
    const { volumes, paths } = prepare({});
    const { kubeconfigPath = "" } = await volumes.prepare();
    const config = JSON.parse(await readFile(kubeconfigPath, "utf8"));
    expect(config.users[0].user.tokenFile).toBe(paths.token);
    expect((await stat(paths.token)).mode & 0o777).toBe(0o600);
    expect(await readFile(paths.token, "utf8")).toBe("token-1");
    await clock.advance(60_000);
    expect(issued).toBe(1);
  });

  it("is renewed when four fifths of a token's life have passed, and not before", async () => {
    const keeper = createTokenKeeper(aPod(), anApi(), clock);
    expect(await keeper.get({})).toBe("token-1");
    await clock.advance(47 * 60_000);
    expect(await keeper.get({})).toBe("token-1");
    await clock.advance(60_000);
    expect(await keeper.get({})).toBe("token-2");
  });

  const cases = [
    { name: "the pod does not want it", spec: { automountServiceAccountToken: false }, automount: true, want: false },
    { name: "the account does not want it", spec: {}, automount: false, want: false },
    {
      name: "the pod wants it against its account",
      spec: { automountServiceAccountToken: true },
      automount: false,
      want: true,
    },
    { name: "there is no default account", spec: {}, automount: undefined, want: false },
  ];
  it.each(cases)("is given: $want, when $name", async ({ spec, automount, want }) => {
    account = automount === undefined ? undefined : { automount };
    const { kubeconfigPath } = await prepare(spec).volumes.prepare();
    expect(kubeconfigPath !== undefined).toBe(want);
  });

  it("is an error while a named account is missing", async () => {
    account = undefined;
    await expect(prepare({ serviceAccountName: "robot" }).volumes.prepare()).rejects.toThrow(
      /serviceaccount "robot" not found/,
    );
  });
});
