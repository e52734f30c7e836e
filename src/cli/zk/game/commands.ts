/** The verbs of the dispute game over integer models. Declares options; the work is in a file per verb, loaded when it runs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ChainOptions } from "../../chain/chain-session.ts";
import { addRead, addWrite } from "../../chain/commands.ts";
import type { CommandContext } from "../../commands.ts";
import type { CollectOptions } from "./collect.ts";
import type { GameSession } from "./game-session.ts";
import type { MoveOptions, PlayOptions, ResolveOptions } from "./move.ts";
import type { OpenOptions } from "./open.ts";
import type { RegisterOptions } from "./register.ts";
import type { StatusOptions } from "./status.ts";

export function addGameCommands(zk: Command, context: CommandContext): void {
  const game = zk
    .command("game")
    .description("disputes over results of integer models, halved down to one proven tile");
  const run = async (options: ChainOptions, verb: (session: GameSession) => Promise<number>) => {
    const { withGame } = await import("./game-session.ts");
    context.setExitStatus(await withGame(options, context, verb));
  };
  addWrite(game.command("register").description("let results of a model be disputed; by the admin of GameModels, once"))
    .requiredOption("--model <file>", "the model, an all-integer ONNX file")
    .action((options: ChainOptions & RegisterOptions) =>
      run(options, async (session) => (await import("./register.ts")).runRegister(options, session)),
    );
  addResult(
    addWrite(game.command("open").description("challenge the first row of a result that is wrong; takes the bond")),
  )
    .option("--row <n>", "challenge this row, whatever is wrong", parseWhole)
    .action((options: ChainOptions & OpenOptions) =>
      run(options, async (session) => (await import("./open.ts")).runOpen(options, session)),
    );
  addResult(addWrite(game.command("answer <game>").description("the challenger's next move"))).action(
    (id: string, options: ChainOptions & MoveOptions) =>
      run(options, async (session) => (await import("./move.ts")).runAnswer(id, options, session)),
  );
  addResult(addWrite(game.command("bisect <game>").description("the worker's next move, but for the last"))).action(
    (id: string, options: ChainOptions & MoveOptions) =>
      run(options, async (session) => (await import("./move.ts")).runBisect(id, options, session)),
  );
  addWrite(
    game
      .command("resolve <game>")
      .description("the worker's proof of the last tile, or the end of a game whose time is over"),
  )
    .option("--task <file>", "the task as JSON, with its status; for the proof")
    .option("--model <file>", "the model, an ONNX file; for the proof")
    .option("--input <file>", "the input, where the task names a URI that cannot be reached")
    .addOption(keysOption())
    .action((id: string, options: ChainOptions & ResolveOptions) =>
      run(options, async (session) => (await import("./move.ts")).runResolve(id, options, session)),
    );
  addResult(addWrite(game.command("play <game>").description("every move of this key's side, until the game is over")))
    .option("--poll-ms <n>", "between two looks at the chain", parseWhole, 2_000)
    .addOption(keysOption())
    .action((id: string, options: ChainOptions & PlayOptions) =>
      run(options, async (session) => (await import("./move.ts")).runPlay(id, options, session)),
    );
  addWrite(game.command("collect").description("pay out what closed games owe to an account"))
    .option("--account <address>", "left out: the key's own")
    .action((options: ChainOptions & CollectOptions) =>
      run(options, async (session) => (await import("./collect.ts")).runCollect(options, session)),
    );
  addRead(game.command("status [game]").description("whose turn it is and until when, or how it ended"))
    .option("--worker <address>", "in place of a game: all that were opened against this worker")
    .action((id: string | undefined, options: ChainOptions & StatusOptions) =>
      run(options, async (session) => (await import("./status.ts")).runStatus(id, options, session)),
    );
}

function keysOption(): Option {
  return new Option(
    "--game-keys <store>",
    "store with the tile's keys (zk register --tile); the worker's last move needs them",
  );
}

function addResult(command: Command): Command {
  return command
    .requiredOption("--task <file>", "the task as JSON, with its status: kubectl get itask NAME -o json")
    .requiredOption("--model <file>", "the model, an ONNX file")
    .option("--input <file>", "the input, where the task names a URI that cannot be reached");
}

function parseWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}
