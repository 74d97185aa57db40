/** Why compressed bytes could not be inflated. Never leaves `decode/`: it becomes the reason of an undecodable range. */
export class InflateFailure extends Error {
  override readonly name = "InflateFailure";
}

export function overLimit(bytesMax: number): InflateFailure {
  return new InflateFailure(`inflates to more than ${bytesMax} bytes`);
}
