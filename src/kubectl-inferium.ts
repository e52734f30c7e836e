#!/usr/bin/env node
/**
 * `kubectl inferium`: kubectl runs a program of this name that is on the PATH. The client verbs alone; whoever submits tasks
 * needs no operator and no model runtime on his machine. Wiring only.
 */
import { Command } from "commander";
import { systemClock } from "./base/clock.ts";
import { version } from "./base/version.ts";
import { addVerifyTask } from "./cli/chain/commands.ts";
import { addTaskCommands } from "./cli/commands.ts";
import { runProgram } from "./cli/run-program.ts";

const stopping = new AbortController();
const program = new Command("kubectl inferium")
  .description("Submit and follow verifiable inference tasks, and see to the members of the pool")
  .version(version)
  .showHelpAfterError()
  .exitOverride();
program
  .command("version")
  .description("print the plugin's version")
  .action(() => {
    process.stdout.write(`${version}\n`);
  });
const context = {
  env: process.env,
  io: {
    out: (line: string) => process.stdout.write(`${line}\n`),
    note: (line: string) => process.stderr.write(`${line}\n`),
  },
  clock: systemClock,
  signal: stopping.signal,
  setExitStatus: (status: number) => {
    process.exitCode = status;
  },
};
addTaskCommands(program, context);
addVerifyTask(program, context);
await runProgram(program, stopping, process.env);
