/** `inferium dispute ...`: declares the verbs; the work is in a file for each side, loaded when it runs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../commands.ts";
import type { ClusterOptions } from "../context.ts";
import type { ChainOptions, ChainSession } from "./chain-session.ts";
import type { VoteOptions } from "./dispute-jury.ts";
import type { OpenOptions } from "./dispute-open.ts";
import type { MoveVerb } from "./dispute-phases.ts";

export interface DisputeWiring {
  readonly context: CommandContext;
  readonly systemNamespace: string;
  readonly addRead: (command: Command) => Command;
  readonly addWrite: (command: Command) => Command;
  readonly addCluster: (command: Command) => Command;
  readonly run: (options: ChainOptions, verb: (session: ChainSession) => Promise<number>) => Promise<void>;
}

type ClusterChainOptions = ChainOptions & ClusterOptions & { readonly systemNamespace?: string };

export function addDisputeCommands(program: Command, wiring: DisputeWiring): void {
  const dispute = program.command("dispute").description("doubt a result that validators approved, and follow it");
  addOpen(dispute, wiring);
  addVotes(dispute, wiring);
  addMoves(dispute, wiring);
  addLooks(dispute, wiring);
}

function addOpen(dispute: Command, { context, systemNamespace, addCluster, addWrite, run }: DisputeWiring): void {
  addCluster(addWrite(dispute.command("open [task]").description("put up the bond against a settled task's approvers")))
    .option("--file <file>", "the evidence as JSON {epoch, task}, in place of a task's name: then no cluster is asked")
    .option("--accuse <address...>", "only these validators; left out: all who approved")
    .action((task: string | undefined, options: ClusterChainOptions & OpenOptions & { readonly file?: string }) =>
      run(options, async (session) => {
        const { readEvidenceFile, readSettledEvidence, runOpen } = await import("./dispute-open.ts");
        const { withCluster } = await import("../context.ts");
        if (options.file !== undefined) return runOpen(await readEvidenceFile(options.file), options, session);
        if (task === undefined) throw new InvalidArgumentError("Give the name of a settled task, or --file.");
        const namespace = options.systemNamespace ?? systemNamespace;
        const evidence = await withCluster(options, context.env, (cluster) =>
          readSettledEvidence(task, cluster, namespace),
        );
        return runOpen(evidence, options, session);
      }),
    );
}

function addVotes(dispute: Command, { addWrite, run }: DisputeWiring): void {
  addWrite(dispute.command("commit").description("as a juror: commit to a verdict; validators do so by themselves"))
    .requiredOption("--dispute <id>", "the dispute", parseId)
    .addOption(new Option("--verdict <verdict>", "what you found").choices(["right", "wrong"]).makeOptionMandatory())
    .requiredOption(
      "--salt-file <file>",
      "where verdict and salt are kept until the reveal; made where it is not there",
    )
    .action((options: ChainOptions & VoteOptions) =>
      run(options, async (session) => (await import("./dispute-jury.ts")).runCommit(options, session)),
    );
  addWrite(dispute.command("reveal").description("as a juror: reveal the verdict that was committed to"))
    .requiredOption("--dispute <id>", "the dispute", parseId)
    .requiredOption("--salt-file <file>", "as given to commit")
    .action((options: ChainOptions & Omit<VoteOptions, "verdict">) =>
      run(options, async (session) => (await import("./dispute-jury.ts")).runReveal(options, session)),
    );
}

const moves: readonly (readonly [MoveVerb, string])[] = [
  ["draw", "draw the jury, once the seed's block is mined; anybody may"],
  ["rule", "count the votes, once all are revealed or the time is over; anybody may"],
  ["execute", "carry out the ruling, once the time for a veto is over; anybody may"],
  ["veto", "as the guardian: stop a ruling before it is executed"],
];

function addMoves(dispute: Command, { addWrite, run }: DisputeWiring): void {
  for (const [verb, description] of moves) {
    addWrite(dispute.command(`${verb} <id>`).description(description)).action((id: string, options: ChainOptions) =>
      run(options, async (session) => (await import("./dispute-phases.ts")).runMove(verb, parseId(id), session)),
    );
  }
  addWrite(dispute.command("collect").description("take the bonds that came free"))
    .option("--account <address>", "whose; left out: the key's own")
    .action((options: ChainOptions & { readonly account?: string }) =>
      run(options, async (session) => (await import("./dispute-phases.ts")).runCollect(options, session)),
    );
}

function addLooks(dispute: Command, { addRead, run }: DisputeWiring): void {
  addRead(dispute.command("status <id>").description("phase, jury, votes and ruling of one dispute")).action(
    (id: string, options: ChainOptions) =>
      run(options, async (session) => (await import("./dispute-phases.ts")).runStatus(parseId(id), session)),
  );
  addRead(dispute.command("list").description("all disputes, from --from-block on")).action((options: ChainOptions) =>
    run(options, async (session) => (await import("./dispute-phases.ts")).runList(session)),
  );
}

function parseId(text: string): string {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError(`"${text.slice(0, 80)}" is no dispute: expected 0x and 64 hex digits, as list shows.`);
}
