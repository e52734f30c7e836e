/** The commands of the README's section Install, run as they stand there: in a folder with the chart and the values, helm on the PATH. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { CommandLine, Outcome } from "../integration/clients/command-line.ts";

export interface ReadmeInstall {
  /** `helm install ...` */
  install(): Promise<Outcome>;
  /** `helm test ...` */
  check(): Promise<Outcome>;
}

export function openReadmeInstall(shell: CommandLine, helm: string, values: object): ReadmeInstall {
  const bin = join(shell.home, "bin");
  mkdirSync(bin);
  symlinkSync(helm, join(bin, "helm"));
  symlinkSync(new URL("../../charts", import.meta.url), join(shell.home, "charts"));
  writeFileSync(join(shell.home, "values.yaml"), stringify(values));
  const [install, check] = readCommands();
  const run = (command: string) => shell.run(["-c", command], { env: { PATH: `${bin}:${process.env.PATH}` } });
  return { install: () => run(install), check: () => run(check) };
}

function readCommands(): readonly [string, string] {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.split(/^## /m).find((one) => one.startsWith("Install\n")) ?? "";
  const [install = "", check = "", ...more] = (/```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? "").trim().split("\n");
  if (!install.startsWith("helm install ") || !check.startsWith("helm test ") || more.length > 0)
    throw new Error("The README's section Install is not a helm install and a helm test; correct it, or this test.");
  return [install, check];
}
