/**
 * `inferium dispute commit` and `reveal`, for a juror whose validator does not run. The verdict and its salt are on the disk
 * before the commitment is sent, and a file that holds another verdict is refused: there is one commitment, ever.
 */
import { randomBytes } from "node:crypto";
import { InferiumError } from "../../base/errors.ts";
import { createDisputeReader } from "../../chain/dispute-reader.ts";
import { readIfThere, writeDurably } from "../../pool/durable-file.ts";
import { computeJurorCommitment, type JurorVerdict, jurorVerdictCode } from "../../protocol/dispute.ts";
import { type ChainSession, printSteps, runSteps } from "./chain-session.ts";

export interface VoteOptions {
  readonly dispute: string;
  readonly verdict: "right" | "wrong";
  readonly saltFile: string;
}

interface SaltFile {
  readonly dispute: string;
  readonly juror: string;
  readonly verdict: JurorVerdict;
  readonly salt: string;
}

/** @throws InferiumError NotAJuror, OtherVerdict, FileUnreadable */
export async function runCommit(options: VoteOptions, session: ChainSession): Promise<number> {
  const juror = await (await session.signer()).getAddress();
  const jury = await createDisputeReader(session.client).jury(options.dispute);
  if (!jury.includes(juror)) {
    const who = jury.length === 0 ? "no jury is drawn yet" : `it is ${jury.join(", ")}`;
    throw new InferiumError("NotAJuror", `${juror} is not in the jury of ${options.dispute}: ${who}.`);
  }
  const verdict = options.verdict === "right" ? "Right" : "Wrong";
  const known = await readSalt(options.saltFile);
  const salt = known?.salt ?? `0x${randomBytes(32).toString("hex")}`;
  const vote: SaltFile = { dispute: options.dispute, juror, verdict, salt };
  if (known !== undefined && (["dispute", "juror", "verdict"] as const).some((field) => known[field] !== vote[field])) {
    const message = `${options.saltFile} holds the verdict ${known.verdict} of ${known.juror} on ${known.dispute}; give another file.`;
    throw new InferiumError("OtherVerdict", message);
  }
  if (known === undefined && session.options.dryRun !== true)
    await writeDurably(options.saltFile, JSON.stringify(vote));
  const commitment = computeJurorCommitment({ id: options.dispute, juror, verdict, salt });
  const results = await runSteps(session, [
    { contract: "disputes", call: "commit", values: [options.dispute, commitment] },
  ]);
  return printSteps(
    session,
    results,
    `Commits to a verdict on ${options.dispute}; reveal it with ${options.saltFile}.`,
  );
}

/** @throws InferiumError NothingCommitted, FileUnreadable */
export async function runReveal(options: Omit<VoteOptions, "verdict">, session: ChainSession): Promise<number> {
  const known = await readSalt(options.saltFile);
  if (known?.dispute !== options.dispute) {
    const holds = known === undefined ? "is not there" : `is about ${known.dispute}`;
    throw new InferiumError("NothingCommitted", `${options.saltFile} ${holds}; commit to a verdict first.`);
  }
  const { verdict, salt } = known;
  const values = [options.dispute, jurorVerdictCode[verdict], salt];
  const results = await runSteps(session, [{ contract: "disputes", call: "reveal", values }]);
  return printSteps(session, results, `Reveals on ${options.dispute}: the result is ${verdict.toLowerCase()}.`);
}

async function readSalt(path: string): Promise<SaltFile | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const file = JSON.parse(text) as SaltFile;
    if (/^0x[0-9a-f]{64}$/.test(file.salt) && file.verdict in jurorVerdictCode) return file;
  } catch (cause) {
    throw new InferiumError("FileUnreadable", `${path} is not JSON.`, { cause });
  }
  throw new InferiumError("FileUnreadable", `${path} holds no verdict and salt; give the file of commit.`);
}
