/** From the probability that each window holds speech to the stretches of speech in a recording. Pure. */
export interface SpeechSegment {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

export interface SegmentOptions {
  readonly windowSeconds: number;
  /** Speech begins at this probability. */
  readonly onset?: number;
  /** Speech goes on down to this one: lower than the onset, so that one weak window does not cut a word. */
  readonly offset?: number;
  /** A shorter silence belongs to the speech around it. */
  readonly minSilenceSeconds?: number;
  /** Shorter speech is a click or a cough. */
  readonly minSpeechSeconds?: number;
}

const defaults = { onset: 0.5, offset: 0.35, minSilenceSeconds: 0.1, minSpeechSeconds: 0.25 };

export function findSpeech(probabilities: ArrayLike<number>, options: SegmentOptions): SpeechSegment[] {
  const settings = { ...defaults, ...options };
  const runs = joinRuns(findRuns(probabilities, settings), settings.minSilenceSeconds / settings.windowSeconds);
  return runs
    .map(([first, end]) => ({ startSeconds: first * settings.windowSeconds, endSeconds: end * settings.windowSeconds }))
    .filter((segment) => segment.endSeconds - segment.startSeconds >= settings.minSpeechSeconds);
}

/** First window of a run, and the one after its last. */
type Run = readonly [first: number, end: number];

function findRuns(probabilities: ArrayLike<number>, { onset, offset }: { onset: number; offset: number }): Run[] {
  const runs: Run[] = [];
  let first: number | undefined;
  for (let i = 0; i <= probabilities.length; i++) {
    const probability = probabilities[i] ?? 0;
    if (first === undefined && probability >= onset && i < probabilities.length) first = i;
    else if (first !== undefined && (probability < offset || i === probabilities.length)) {
      runs.push([first, i]);
      first = undefined;
    }
  }
  return runs;
}

function joinRuns(runs: readonly Run[], minSilenceWindows: number): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const before = joined.at(-1);
    if (before !== undefined && run[0] - before[1] < minSilenceWindows) joined[joined.length - 1] = [before[0], run[1]];
    else joined.push(run);
  }
  return joined;
}
