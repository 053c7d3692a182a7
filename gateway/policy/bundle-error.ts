/** Which check a bundle failed; the label of the metric and the code in the log. */
export type BundleProblem =
  | 'unreadable'
  | 'service'
  | 'archive'
  | 'signature'
  | 'manifest'
  | 'data'
  | 'wasm'
  | 'builtin'
  | 'entrypoint'
  | 'self_test'

/** A bundle that must not be activated, and why. Thrown while loading; the live policy stays as it is. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly problem: BundleProblem

  constructor(problem: BundleProblem, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.problem = problem
  }
}
