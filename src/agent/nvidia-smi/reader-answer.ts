/** What the reader process answers to the agent, over one IPC message. Types only. */
export type ReaderAnswer = PackageAnswer | DirectAnswer;

/** The package gave a document: its tree, as it parsed it. */
export interface PackageAnswer {
  readonly from: "package";
  readonly tree: unknown;
}

/** The package gave none, so the command was run once more without it: all that it left. */
export interface DirectAnswer {
  readonly from: "direct";
  readonly stdout: string;
  /** The first characters. */
  readonly stderr: string;
  readonly exitCode: number | undefined;
  /** Such as ENOENT, where it could not be started or its output was cut. */
  readonly systemError: string | undefined;
  /** Why the package gave none. */
  readonly packageError: string;
}

/** Argument of the reader process, as JSON. */
export interface ReaderRequest {
  readonly command: string;
  /** The package always runs what PATH calls `nvidia-smi`; another name is run directly. */
  readonly usePackage: boolean;
  readonly maxOutputBytes: number;
}
