/** The chain's verbs of the command line. Declares options; the work is in a file per verb, loaded when it runs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { InferenceTask, Validation } from "../../api/v1alpha1/types.ts";
import type { CommandContext } from "../commands.ts";
import type { ClusterOptions } from "../context.ts";
import type { VerifyCallOptions } from "../verify-call.ts";
import type { BondOptions, RequesterOptions, UnbondOptions } from "./bonding.ts";
import type { ChainOptions, ChainSession } from "./chain-session.ts";
import type { ClaimOptions } from "./claim.ts";
import type { DeployCommandOptions } from "./deploy.ts";
import { addDisputeCommands } from "./dispute-commands.ts";
import { addGovernanceCommands } from "./governance-commands.ts";

const systemNamespace = "inferium-system";

export function addChainCommands(program: Command, context: CommandContext): void {
  addBonds(program, context);
  addRequester(program, context);
  addClaim(program, context);
  addVerify(program, context);
  const runIt = (options: ChainOptions, verb: (session: ChainSession) => Promise<number>) =>
    run(context, options, verb);
  addDisputeCommands(program, { context, systemNamespace, addRead, addWrite, addCluster, run: runIt });
  addGovernanceCommands(program, { addRead, addWrite, run: runIt });
  const chain = program.command("chain").description("the contracts: where they stand, and how they are deployed");
  addDeploy(chain, context);
  addRead(chain.command("status").description("last and final batch, epoch, validators, pause, addresses")).action(
    (options: ChainOptions) =>
      run(context, options, async (session) => (await import("./chain-status.ts")).runChainStatus(session)),
  );
}

function addDeploy(chain: Command, context: CommandContext): void {
  addWrite(chain.command("deploy").description("deploy all contracts, once; run again it finds and checks them"))
    .requiredOption("--parameters <file>", "YAML or JSON with the parameters; see docs/chain.md")
    .option("--out <file>", "where the addresses are written", "addresses.json")
    .option(
      "--game-keys <store>",
      "deploy the dispute game too, with the tile's keys of this store (zk register --tile)",
    )
    .option("--verify", "deploy nothing: compare code and parameters with what stands", false)
    .action(async (options: DeployCommandOptions) =>
      context.setExitStatus(await (await import("./deploy.ts")).runDeploy(options, context)),
    );
}

async function run(context: CommandContext, options: ChainOptions, verb: (session: ChainSession) => Promise<number>) {
  const { withChain } = await import("./chain-session.ts");
  context.setExitStatus(await withChain(options, context, verb));
}

function addBonds(program: Command, context: CommandContext): void {
  addWrite(program.command("bond").description("bond IFR for a worker or a validator, or add to its bond"))
    .addOption(new Option("--role <role>").choices(["worker", "validator"]).makeOptionMandatory())
    .requiredOption("--amount <ifr>", "how much, in IFR")
    .option("--node <address>", "the node, where it is bonded already; left out: the key's own address")
    .option("--node-key-file <file>", "key of the node, which agrees to its first bond")
    .option("--payout <address>", "where its rewards go; left out: to the owner, or as before")
    .action((options: ChainOptions & BondOptions) =>
      run(context, options, async (session) => (await import("./bonding.ts")).runBond(options, session)),
    );
  addWrite(program.command("unbond").description("begin to take a bond back"))
    .requiredOption("--node <address>", "the node")
    .requiredOption("--amount <ifr>", "how much, in IFR")
    .action((options: ChainOptions & UnbondOptions) =>
      run(context, options, async (session) => (await import("./bonding.ts")).runUnbond(options, session)),
    );
  addWrite(program.command("withdraw").description("take what has finished unbonding, to its owner"))
    .requiredOption("--node <address>", "the node")
    .action((options: ChainOptions & { node: string }) =>
      run(context, options, async (session) => (await import("./bonding.ts")).runWithdraw(options, session)),
    );
}

function addRequester(program: Command, context: CommandContext): void {
  const requester = program.command("requester").description("the deposits that pay for tasks");
  addWrite(requester.command("deposit").description("deposit IFR for tasks"))
    .requiredOption("--amount <ifr>", "how much, in IFR")
    .option("--for <address>", "whose deposit; left out: the key's own")
    .action((options: ChainOptions & RequesterOptions) =>
      run(context, options, async (session) => (await import("./bonding.ts")).runDeposit(options, session)),
    );
  addWrite(requester.command("withdraw").description("ask a deposit back, then take it when the wait is over"))
    .option("--amount <ifr>", "ask for so much; left out: take what was asked for")
    .option("--to <address>", "where it goes; left out: to the key's own address")
    .option("--cancel", "put what was asked back to use again", false)
    .action((options: ChainOptions & RequesterOptions) =>
      run(context, options, async (session) => (await import("./bonding.ts")).runRequesterWithdraw(options, session)),
    );
}

type ClusterChainOptions = ChainOptions & ClusterOptions & { readonly systemNamespace?: string };

function addClaim(program: Command, context: CommandContext): void {
  addCluster(addWrite(program.command("claim").description("pay out what final batches have credited")))
    .option("--account <address...>", "for whom; left out: the key's own address")
    .option("--all", "for everybody", false)
    .action((options: ClusterChainOptions & ClaimOptions) =>
      run(context, options, async (session) => {
        const [{ withCluster }, { readBatch }, { runClaim }] = await Promise.all([
          import("../context.ts"),
          import("./read-batch.ts"),
          import("./claim.ts"),
        ]);
        const readFinal = (headerHash: string) =>
          withCluster(options, context.env, ({ transport }) =>
            readBatch(transport, options.systemNamespace ?? systemNamespace, { headerHash }),
          );
        return runClaim(options, session, readFinal);
      }),
    );
}

function addVerify(program: Command, context: CommandContext): void {
  const verify = program.command("verify").description("prove against the chain alone what the cluster says");
  addVerifyOptions(verify.command("task [name]").description("that a task is settled as its status says")).action(
    (name: string | undefined, options: VerifyOptions) =>
      run(context, options, (session) => verifyTask(session, name, options, context)),
  );
  addCluster(verify.command("call").description("that the receipt of an agent's call holds, see docs/gateway.md"))
    .requiredOption("--receipt <file>", "the header inferium-receipt, or all headers as curl -D writes them")
    .requiredOption("--gateway <url>", "the gateway that answered")
    .option("--key-file <file>", "the caller's key; left out where the agent asks for none")
    .option("--sent <file>", "body that was sent")
    .option("--got <file>", "body that came back")
    .option("--task <name>", "the task that settled the window of the call")
    .addOption(new Option("-o, --output <form>", "form of the result").choices(["text", "json"]).default("text"))
    .action(async (options: VerifyCallOptions & ClusterOptions & { readonly task?: string }) => {
      const [{ runVerifyCall }, task] = await Promise.all([
        import("../verify-call.ts"),
        options.task === undefined ? undefined : readVerified(options.task, options, context).then(({ task }) => task),
      ]);
      context.setExitStatus(await runVerifyCall(options, context.io, task));
    });
}

/** The plugin's `verify NAME`: as `verify task NAME`, and the cluster may say where the contracts stand. */
export function addVerifyTask(program: Command, context: CommandContext): void {
  const command = program.command("verify [task]").description("prove on the chain that a task is settled as it says");
  addVerifyOptions(command)
    .option("--contracts <name>", "ConfigMap of the contracts, where --addresses is left out", "inferium-contracts")
    .action(async (name: string | undefined, options: VerifyOptions & { readonly contracts: string }) => {
      const addresses = options.addresses ?? context.env.INFERIUM_ADDRESSES_FILE;
      const book = addresses === undefined ? await readClusterBook(options, context) : undefined;
      const known = book === undefined ? options : { ...options, addressBook: book };
      return run(context, known, (session) => verifyTask(session, name, options, context));
    });
}

async function readClusterBook(options: VerifyOptions & { readonly contracts: string }, { env, io }: CommandContext) {
  const [{ withCluster }, { readContracts }] = await Promise.all([
    import("../context.ts"),
    import("./read-contracts.ts"),
  ]);
  const { contracts: name, systemNamespace: namespace = systemNamespace } = options;
  const book = await withCluster(options, env, ({ transport }) => readContracts(transport, { namespace, name }));
  const trusted = "give --addresses of a source that you trust to prove it without the cluster's word";
  io.note(`The contracts' addresses are the cluster's own (ConfigMap ${namespace}/${name}); ${trusted}.`);
  return book;
}

function addVerifyOptions(command: Command): Command {
  return addCluster(addRead(command))
    .option("--file <file>", "the task as JSON, in place of its name: then no cluster is asked for it")
    .option("--validation <file>", "with --file: the Validation as JSON that holds the task's proof");
}

async function verifyTask(
  session: ChainSession,
  name: string | undefined,
  options: VerifyOptions,
  context: CommandContext,
): Promise<number> {
  const { runVerifyTask } = await import("./verify-task.ts");
  const { task, validation } = await readVerified(name, options, context);
  return runVerifyTask(task, session, validation);
}

interface VerifyOptions extends ClusterChainOptions {
  readonly file?: string;
  readonly validation?: string;
}

async function readVerified(name: string | undefined, options: VerifyOptions, { env }: CommandContext) {
  const { readObjectFile, readProofOf, readTask } = await import("./verify-task.ts");
  const { file, validation } = options;
  if (file !== undefined) {
    const task = await readObjectFile<InferenceTask>(file);
    return { task, validation: validation === undefined ? undefined : await readObjectFile<Validation>(validation) };
  }
  if (name === undefined) throw new InvalidArgumentError("Give the name of a task, or --file.");
  const { withCluster } = await import("../context.ts");
  return withCluster(options, env, async (cluster) => {
    const task = await readTask(name, cluster);
    return { task, validation: await readProofOf(task, cluster) };
  });
}

function addCluster(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig; left out: KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "context of the kubeconfig; left out: the current one")
    .option("-n, --namespace <name>", "namespace; left out: the context's")
    .option("--system-namespace <name>", "namespace of the operator's records", systemNamespace);
}

/** Options of every verb that talks to the chain. */
export function addRead(command: Command): Command {
  return command
    .option("--rpc-url <urls>", "JSON-RPC endpoint, or several separated by commas; left out: INFERIUM_RPC_URL")
    .option("--addresses <file>", "JSON with the contracts' addresses; left out: INFERIUM_ADDRESSES_FILE")
    .option("--chain-id <id>", "refuse any other chain", parseWhole)
    .option("--from-block <n>", "where searches of the chain's logs begin", parseWhole, 0)
    .addOption(new Option("-o, --output <form>", "form of the result").choices(["text", "json"]).default("text"));
}

/** And of those that sign. */
export function addWrite(command: Command): Command {
  return addRead(command)
    .option("--key-file <file>", "private key, or keystore, that signs; left out: INFERIUM_KEY_FILE")
    .option("--password-file <file>", "password of the keystore; left out: INFERIUM_PASSWORD_FILE")
    .option("--signer-url <url>", "remote signer in place of a key file; left out: INFERIUM_SIGNER_URL")
    .option("--signer-address <address>", "account of the remote signer")
    .option("--dry-run", "try it on the chain and send nothing", false);
}

function parseWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}
