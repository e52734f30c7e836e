/** `inferium governance ...`: declares the verbs; the work is in a file for each side, loaded when it runs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ChainOptions, ChainSession } from "./chain-session.ts";
import type { ProposeOptions } from "./governance-propose.ts";
import type { MoveVerb, VoteOptions } from "./governance-votes.ts";

export interface GovernanceWiring {
  readonly addRead: (command: Command) => Command;
  readonly addWrite: (command: Command) => Command;
  readonly run: (options: ChainOptions, verb: (session: ChainSession) => Promise<number>) => Promise<void>;
}

export function addGovernanceCommands(program: Command, wiring: GovernanceWiring): void {
  const governance = program.command("governance").description("change parameters by a vote of holders and stakers");
  addLooks(governance, wiring);
  addPropose(governance, wiring);
  addVotes(governance, wiring);
}

function addLooks(governance: Command, { addRead, run }: GovernanceWiring): void {
  addRead(
    governance
      .command("parameters")
      .description("what a vote can change: value and bounds of each, and the vote's own rules"),
  ).action((options: ChainOptions) =>
    run(options, async (session) => (await import("./governance-parameters.ts")).runParameters(session)),
  );
  addRead(
    governance
      .command("voters [accounts...]")
      .description("votes of accounts now; left out: of the current validators"),
  ).action((accounts: string[], options: ChainOptions) =>
    run(options, async (session) => (await import("./governance-parameters.ts")).runVoters(accounts, session)),
  );
  addRead(governance.command("list").description("all proposals, from --from-block on")).action(
    (options: ChainOptions) =>
      run(options, async (session) => (await import("./governance-votes.ts")).runList(session)),
  );
  addRead(governance.command("status <id>").description("what a proposal does, its votes, and what comes next")).action(
    (id: string, options: ChainOptions) =>
      run(options, async (session) => (await import("./governance-votes.ts")).runStatus(parseId(id), session)),
  );
}

function addPropose(governance: Command, { addWrite, run }: GovernanceWiring): void {
  addWrite(governance.command("propose").description("put a change to the vote"))
    .option(
      "--set <parameter=value>",
      "a parameter and its new value, as `parameters` names them; repeatable",
      collect,
      [],
    )
    .option("--call <call>", 'any call of a contract, as validatorSets.rotate(["0x..."]); repeatable', collect, [])
    .requiredOption("--description <text>", "what voters read")
    .action((options: ChainOptions & ProposeOptions) =>
      run(options, async (session) => (await import("./governance-propose.ts")).runPropose(options, session)),
    );
  addWrite(governance.command("delegate").description("let held tokens vote; bonded ones do by themselves"))
    .option("--to <address>", "who votes with them; left out: the key's own address")
    .action((options: ChainOptions & { readonly to?: string }) =>
      run(options, async (session) => (await import("./governance-propose.ts")).runDelegate(options, session)),
    );
}

const moves: readonly (readonly [MoveVerb, string])[] = [
  ["queue", "begin the wait of a proposal that the vote accepted; anybody may"],
  ["execute", "carry out a queued proposal, once its wait is over; anybody may"],
  ["cancel", "as its proposer: take a proposal back before voting begins"],
];

function addVotes(governance: Command, { addWrite, run }: GovernanceWiring): void {
  addWrite(governance.command("vote <id>").description("vote with all that the key's account has"))
    .addOption(new Option("--choice <choice>").choices(["for", "against", "abstain"]).makeOptionMandatory())
    .option("--reason <text>", "written on the chain beside the vote")
    .action((id: string, options: ChainOptions & VoteOptions) =>
      run(options, async (session) => (await import("./governance-votes.ts")).runVote(parseId(id), options, session)),
    );
  for (const [verb, description] of moves) {
    addWrite(governance.command(`${verb} <id>`).description(description)).action((id: string, options: ChainOptions) =>
      run(options, async (session) => (await import("./governance-votes.ts")).runMove(verb, parseId(id), session)),
    );
  }
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

function parseId(text: string): string {
  if (/^\d{6,78}$/.test(text)) return text;
  throw new InvalidArgumentError(
    `"${text.slice(0, 80)}" is no proposal: expected the number that list shows, or its first six digits or more.`,
  );
}
