/**
 * `npm run plugin`: the kubectl plugin as krew installs it, in plugin/: an archive of one bundled file and what it reads, and the
 * manifest that names the archive by its digest. The same sources give the same archive. Effects: replaces plugin/.
 */
import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "rolldown";
import { stringify } from "yaml";
import { sha256 } from "./src/base/digest.ts";
import { version } from "./src/base/version.ts";

const root = import.meta.dirname;
const repository = "https://github.com/inferium/inferium";
const archive = `kubectl-inferium-v${version}.tar.gz`;

async function writeContents(folder: string): Promise<void> {
  await build({
    input: { "kubectl-inferium": "src/kubectl-inferium.ts" },
    cwd: root,
    platform: "node",
    logLevel: "warn",
    treeshake: { moduleSideEffects: [{ test: /client-node\/dist\/gen\//, sideEffects: false }] },
    // kubectl looks for a program of exactly this name.
    output: { dir: folder, format: "esm", codeSplitting: false, entryFileNames: "[name]" },
  });
  await writeFile(join(folder, "package.json"), `${JSON.stringify({ name: "kubectl-inferium", version, type: "module" })}\n`);
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  const artifacts = join(folder, "contracts/artifacts");
  await mkdir(artifacts, { recursive: true });
  for (const name of await readdir(join(root, "contracts/artifacts"))) {
    const { abi } = JSON.parse(await readFile(join(root, "contracts/artifacts", name), "utf8")) as { abi: unknown };
    // It deploys nothing, so it needs no code.
    await writeFile(join(artifacts, name), JSON.stringify({ abi, bytecode: "0x" }));
  }
}

/** Neither times, nor owners, nor the order of a folder get into it. */
function pack(folder: string, target: string): void {
  const fixed = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"];
  const shell = `tar ${fixed.join(" ")} -C "$0" -cf - . | gzip -9n > "$1"`;
  const { status, stderr } = spawnSync("/bin/bash", ["-o", "pipefail", "-c", shell, folder, target], { encoding: "utf8" });
  if (status !== 0) throw new Error(`The plugin could not be packed (GNU tar and gzip are needed): ${stderr}`);
}

async function buildManifest(path: string): Promise<object> {
  return {
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: "inferium" },
    spec: {
      version: `v${version}`,
      homepage: repository,
      shortDescription: "Submit and verify AI inference tasks",
      description:
        "Submits inference tasks to an Inferium pool and follows them, says why one waits, shows tasks, members and leaderboards, drains a member, and proves on the chain that a task is settled as it says.\n",
      caveats: "Needs Node.js 22.19 or newer on the PATH. `verify` needs the JSON-RPC endpoint of the chain.\n",
      platforms: [
        {
          selector: { matchExpressions: [{ key: "os", operator: "In", values: ["linux", "darwin"] }] },
          uri: `${repository}/releases/download/v${version}/${archive}`,
          sha256: sha256(await readFile(path)).replace("sha256:", ""),
          bin: "kubectl-inferium",
          files: [{ from: "*", to: "." }],
        },
      ],
    },
  };
}

const target = join(root, `plugin.${process.pid}.tmp`);
try {
  const folder = join(target, "contents");
  await mkdir(folder, { recursive: true });
  await writeContents(folder);
  const { status } = spawnSync("chmod", ["755", join(folder, "kubectl-inferium")]);
  if (status !== 0) throw new Error("The plugin could not be made executable.");
  pack(folder, join(target, archive));
  await rm(folder, { recursive: true });
  await writeFile(join(target, "inferium.yaml"), stringify(await buildManifest(join(target, archive))));
  await rm(join(root, "plugin"), { recursive: true, force: true });
  await rename(target, join(root, "plugin"));
} finally {
  await rm(target, { recursive: true, force: true });
}
