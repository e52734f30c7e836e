/** Why a batch is not signed: a word for machines, a sentence for people. */
export interface Finding {
  readonly code: string;
  readonly message: string;
}

export const finding = (code: string, message: string): Finding => ({ code, message });
