/** `inferium model`: what validators would find of a model, before anybody asks them. */
import { type Command, Option } from "commander";
import type { CommandContext } from "../commands.ts";

export function addModelCommands(program: Command, { io, signal, setExitStatus }: CommandContext): void {
  const model = program.command("model").description("what validators find in a model");
  model
    .command("scan <file>")
    .description(
      "scan and load a model file in a process of its own, as validators do; status 1 where they would not approve it",
    )
    .addOption(new Option("-o, --output <form>", "form of the result").choices(["text", "json"]).default("text"))
    .action(async (path: string, options) =>
      setExitStatus(await (await import("./scan.ts")).runScan(path, options, { io, signal })),
    );
}
