/** What another TypeScript project gets from `npm pack`: it compiles against the types, and runs, without the sources. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const execute = promisify(execFile);
const root = new URL("../../", import.meta.url).pathname;

test("a project that installed the package compiles and runs the control plane's example", async () => {
  const folder = await mkdtemp(join(tmpdir(), "inferium-package-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // npm would run the script that makes dist/ as well, which is tested elsewhere.
  await succeed(process.execPath, ["library.ts"], root);
  await succeed("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
  await install(folder);
  const example = await readFile(join(root, "examples/control-plane/read-back.ts"), "utf8");
  const installed = example
    .replaceAll(/"\.\.\/\.\.\/src\/embedded\/control-plane\.ts"/g, '"inferium/control-plane"')
    .replaceAll(/"\.\.\/\.\.\/src\/(kube\/[^"]+)\.ts"/g, '"inferium/$1"');
  await writeFile(
    join(folder, "sample.ts"),
    `${installed}\nconst found: string | undefined = await readBack();\nconsole.log(found);\n`,
  );
  const settings = ["--module", "nodenext", "--target", "es2024", "--strict", "--types", "node", "--noEmit"];
  await succeed(process.execPath, ["node_modules/typescript/bin/tsc", ...settings, "sample.ts"], folder);
  expect(await succeed(process.execPath, ["sample.ts"], folder)).toBe("blue\n");
}, 240_000);

/** As npm would, offline: the tarball unpacked, and beside it what its package.json asks for. */
async function install(folder: string): Promise<void> {
  const [tarball = ""] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await succeed("tar", ["xzf", tarball], folder);
  await mkdir(join(folder, "node_modules"));
  await cp(join(folder, "package"), join(folder, "node_modules/inferium"), { recursive: true });
  const { dependencies } = JSON.parse(await readFile(join(folder, "package/package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of [...Object.keys(dependencies), "typescript", "@types/node"]) {
    if (name.includes("/")) await mkdir(join(folder, "node_modules", name.split("/")[0] ?? ""), { recursive: true });
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "sample", private: true, type: "module" }));
}

/** @returns its standard output. Throws with all that it printed where it fails. */
async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await execute(command, args, { cwd, timeout: 200_000 }).catch(
    (error: Error & { stdout?: string }) => {
      throw new Error(`${error.message}\n${error.stdout ?? ""}`);
    },
  );
  return stdout;
}
