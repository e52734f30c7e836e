/**
 * Runs a command line to its end: signals become an abort, errors one clear line and an exit status (0 done, 1 failed, 2 wrong
 * usage, 130 interrupted). Called by the entries of the program; ends the process by itself at a second signal, and where nobody
 * reads what it prints.
 */
import { type Command, CommanderError } from "commander";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Environment } from "./context.ts";

/** @param env INFERIUM_DEBUG in it adds the stack of an error */
export async function runProgram(program: Command, stopping: AbortController, env: Environment): Promise<void> {
  /** The first signal asks everything to stop in order; a second one does not wait for it. */
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    stopping.abort(new InferiumError("Interrupted", `Stopped by ${signal}.`));
  };
  // Whoever read the output, such as `head`, has enough of it: that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (stopping.signal.aborted && error === stopping.signal.reason) process.exitCode = 130;
    else {
      const code = error instanceof InferiumError ? ` (${error.code})` : "";
      process.stderr.write(`inferium: ${describeError(error)}${code}\n`);
      if (env.INFERIUM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
      process.exitCode = 1;
    }
  }
}
