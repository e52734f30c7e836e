/** `inferium zk game register`: what GameModels holds of a model, so that results of it can be disputed. By its admin, once. */
import { digestToBytes32 } from "../../../base/digest.ts";
import { readGameModel, registrationOf } from "../../../zk/game/game-model.ts";
import { readModelFile } from "./disputed-result.ts";
import { type GameSession, sendStep, tellSent } from "./game-session.ts";

export interface RegisterOptions {
  readonly model: string;
}

/** @throws InferiumError UnsupportedLayer, UnsupportedOperator, ModelTooLarge and those of the contract */
export async function runRegister({ model: path }: RegisterOptions, session: GameSession): Promise<number> {
  const model = readGameModel(await readModelFile(path));
  const registration = registrationOf(model);
  const values = [digestToBytes32(model.modelDigest), registration];
  const step = { contract: "GameModels", to: session.game.gameModels, call: "register", values } as const;
  const sent = await sendStep(session, step);
  const text = `Results of ${model.modelDigest} can be disputed (${sent.gas} gas).`;
  return tellSent(session, text, { model: model.modelDigest, layers: registration.layers, ...sent });
}
