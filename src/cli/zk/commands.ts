/** The verbs of the second phase of a circuit's setup, and of the dispute game (game/commands.ts). Declares options; the work is in a file per verb, loaded when it runs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../commands.ts";
import type { BeaconOptions } from "./beacon.ts";
import type { ContributeOptions } from "./contribute.ts";
import type { FetchOptions } from "./fetch.ts";
import { addGameCommands } from "./game/commands.ts";
import type { RegisterOptions } from "./register.ts";
import type { SetupOptions } from "./setup.ts";
import type { VerifyOptions } from "./verify.ts";
import type { ZkSession } from "./zk-session.ts";

export function addZkCommands(program: Command, context: CommandContext): void {
  const zk = program
    .command("zk")
    .description("keys of circuits: their ceremony, from the first step to the chain; and dispute games");
  addStep(addCircuit(zk.command("setup").description("begin a ceremony: the first key of a circuit"))).action(
    (options: SetupOptions) => run(context, async (session) => (await import("./setup.ts")).runSetup(options, session)),
  );
  addStep(zk.command("contribute").description("add a secret of this machine to the newest key, and forget it"))
    .requiredOption("--name <name>", "who contributes; each name once")
    .option("--entropy-file <file>", "mixed into the machine's own randomness")
    .action((options: ContributeOptions) =>
      run(context, async (session) => (await import("./contribute.ts")).runContribute(options, session)),
    );
  addStep(zk.command("beacon").description("close the ceremony with public randomness that nobody could foresee"))
    .option("--value <hex>", "the public value, 32 to 255 bytes")
    .option("--source <text>", "where everybody can look it up")
    .option("--rpc-url <url>", "take the hash of a block in place of a value")
    .option("--block <n>", "number of the block, named before the last contribution", parseWhole)
    .option("--confirmations <n>", "blocks that must follow it", parseWhole, 64)
    .option("--iterations <n>", "the value is hashed 2^n times, 10 to 63", parseWhole, 10)
    .action((options: BeaconOptions) =>
      run(context, async (session) => (await import("./beacon.ts")).runBeacon(options, session)),
    );
  addRead(addCircuit(zk.command("verify").description("check every step of a ceremony, from the circuit on")))
    .option("--rpc-url <url>", "also look the beacon's block up on this chain")
    .action((options: VerifyOptions) =>
      run(context, async (session) => (await import("./verify.ts")).runVerify(options, session)),
    );
  addStep(
    addCircuit(zk.command("register").description("verify a ceremony, keep its keys and register them on the chain")),
  )
    .requiredOption("--store <folder>", "store of the provers' and verifiers' artifacts")
    .option("--allow-development-setup", "take keys that are for development and not secure", false)
    .option("--registry <address>", "ModelRegistry; left out: the keys are kept and nothing is sent")
    .option("--rpc-url <url>", "JSON-RPC endpoint; left out: INFERIUM_RPC_URL")
    .option("--key-file <file>", "private key of the registry's admin; left out: INFERIUM_KEY_FILE")
    .option("--password-file <file>", "password of the keystore; left out: INFERIUM_PASSWORD_FILE")
    .action((options: RegisterOptions) =>
      run(context, async (session) => (await import("./register.ts")).runRegister(options, session)),
    );
  addOutput(zk.command("fetch").description("fetch published proving keys into a store, each held against its digest"))
    .requiredOption("--store <folder>", "store of the prover's artifacts")
    .requiredOption("--record <url#digest...>", "record of a circuit (circuit-....json of a store) and its sha256")
    .option("--file-root <folder...>", "folders that file: URLs may point into")
    .option("--allow-development-setup", "take keys that are for development and not secure", false)
    .option("--dry-run", "fetch and check the records alone", false)
    .action((options: FetchOptions) =>
      run(context, async (session) => (await import("./fetch.ts")).runFetch(options, session)),
    );
  addGameCommands(zk, context);
}

async function run(context: CommandContext, verb: (session: ZkSession) => Promise<number>): Promise<void> {
  const { withZk } = await import("./zk-session.ts");
  context.setExitStatus(await withZk(context, verb));
}

function addCircuit(command: Command): Command {
  return command
    .option("--model <file>", "the model, an all-integer ONNX file")
    .option("--tile", "in place of a model: the tile that all dispute games share", false)
    .option("--rows <n>", "rows of input in one proof", parseWhole, 1)
    .requiredOption(
      "--powers-of-tau <file>",
      "prepared file of the first phase; .ci/powers-of-tau fetches one for development",
    )
    .option(
      "--powers-of-tau-digest <digest>",
      "take this file of the first phase too, whose own ceremony you have checked",
    )
    .option("--powers-of-tau-name <name>", "what to call it", "given");
}

function addRead(command: Command): Command {
  return addOutput(
    command.requiredOption("--dir <folder>", "folder of the ceremony, which goes from contributor to contributor"),
  );
}

function addOutput(command: Command): Command {
  return command.addOption(
    new Option("-o, --output <form>", "form of the result").choices(["text", "json"]).default("text"),
  );
}

function addStep(command: Command): Command {
  return addRead(command).option("--dry-run", "check all that can be checked and write nothing", false);
}

function parseWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}
