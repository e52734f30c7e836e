/** Pods of the release's namespace with the last lines of their logs, for the message of a failure. */
import type { CommandLine } from "../integration/clients/command-line.ts";
import { system } from "./chart-cluster.ts";

export async function describePods(kubectl: CommandLine): Promise<string> {
  const names = (await kubectl.ok(["get", "pods", "-n", system, "-o", "name"]))
    .split("\n")
    .filter((name) => name !== "");
  const texts = await Promise.all(
    names.map(async (name) => {
      const read = (args: readonly string[]) => kubectl.run(["logs", name, "-n", system, "--tail", "8", ...args]);
      return `== ${name}\n${(await read([])).out}${(await read(["--previous"])).out}`;
    }),
  );
  return `${await kubectl.ok("get pods -o wide")}\n${texts.join("\n")}`;
}
