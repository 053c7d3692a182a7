/** Which check a bundle failed; the label of the metric and the code in the log. */
export type BundleProblem =
  | 'unreadable'
  | 'service'
  | 'archive'
  | 'signature'
  | 'manifest'
  | 'roots'
  | 'data'
  | 'wasm'
  | 'builtin'
  | 'entrypoint'
  | 'self_test'

interface BundleErrorOptions {
  readonly cause?: unknown
  /** Name of the bundle at fault; absent where several are, or it is not known. */
  readonly bundle?: string | undefined
  /** What a service answered, where it answered at all. */
  readonly httpStatus?: number | undefined
}

/** A bundle that must not be activated, and why. Thrown while loading; the live policy stays as it is. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly problem: BundleProblem
  readonly bundle: string | undefined
  readonly httpStatus: number | undefined

  constructor(problem: BundleProblem, message: string, options: BundleErrorOptions = {}) {
    super(message, options)
    this.problem = problem
    this.bundle = options.bundle
    this.httpStatus = options.httpStatus
  }

  /** The same, said of the bundle of this name. */
  of(bundle: string): BundleError {
    const { problem, message, cause, httpStatus } = this
    return new BundleError(problem, message, { cause, bundle, httpStatus })
  }
}
