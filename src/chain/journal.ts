/**
 * What the outbox remembers: every transaction that it has signed, written down before it is broadcast. The store is
 * injected; `openFileJournal` is the one for a disk.
 */
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { InferiumError } from "../base/errors.ts";

/**
 * signed: may or may not have been broadcast. confirmed: mined, or its effect is on the chain. reverted: mined without
 * effect. superseded: its nonce was used by another transaction, so it can never be mined, or its account was replaced.
 */
export type JournalStatus = "signed" | "confirmed" | "reverted" | "superseded";

/** Values that JSON keeps exactly; amounts and sequence numbers are decimal strings. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface JournalEntry {
  /** What it is for, such as `settle/12`. A later entry with the same id replaces an earlier one. */
  readonly id: string;
  /** Hash of what is signed for (header hash, fault id): one id never stands for two subjects. */
  readonly subject: string;
  /** Header and signatures, or the evidence. */
  readonly payload: JsonValue;
  readonly chainId: number;
  readonly from: string;
  readonly nonce: number;
  /** The signed bytes, 0x-hex. A retry broadcasts exactly these. */
  readonly rawTransaction: string;
  readonly txHash: string;
  /**
   * Earlier forms of the same transaction with lower fees, oldest first. They have its nonce, so that of all of them one at
   * most is ever mined, and it may be any one.
   */
  readonly replaced?: readonly SignedForm[];
  readonly status: JournalStatus;
  readonly outcome?: JournalOutcome;
}

export interface SignedForm {
  readonly rawTransaction: string;
  readonly txHash: string;
}

export interface JournalOutcome {
  readonly txHash: string;
  readonly blockNumber: number;
  /** Decimal. */
  readonly gasUsed: string;
}

export interface JournalStore {
  /** Every entry, in the order of first saving, each in its last version. */
  load(): Promise<readonly JournalEntry[]>;
  /** Resolves once the entry would survive a crash. */
  save(entry: JournalEntry): Promise<void>;
}

/** One JSON line for each save, flushed to the disk. @throws InferiumError JournalCorrupt */
export function openFileJournal(path: string): JournalStore {
  return {
    load: async () => parseLines(path, await readLines(path)),
    save: async (entry) => {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, "a", 0o600);
      try {
        // The newline in front closes a line that a crash may have cut.
        await file.appendFile(`\n${JSON.stringify(entry)}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
    },
  };
}

async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function parseLines(path: string, lines: readonly string[]): JournalEntry[] {
  const entries = new Map<string, JournalEntry>();
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const entry = parseLine(line);
    if (entry !== undefined) entries.set(entry.id, entry);
    else if (!isCut(lines, index)) throw buildCorruptError(`${path}:${index + 1}`);
  }
  return [...entries.values()];
}

/** A whole entry ends with a newline and an empty line follows; one that a crash cut has neither, and never was broadcast. */
function isCut(lines: readonly string[], index: number): boolean {
  return lines[index + 1] !== "";
}

function parseLine(line: string): JournalEntry | undefined {
  try {
    return JSON.parse(line) as JournalEntry;
  } catch {
    // The caller decides whether this line may be cut.
    return undefined;
  }
}

function buildCorruptError(where: string): InferiumError {
  return new InferiumError(
    "JournalCorrupt",
    `The journal of transactions does not parse at ${where}. Restore a copy.`,
    {
      disposition: "fatal",
    },
  );
}
