import type { EpochPath } from '../read-entries.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'

/** A checkpoint of some log that is known from elsewhere than its own directory. */
interface Commitment {
  readonly root: Buffer
  /** Where it is known from, for people. */
  readonly source: string
  /** Below the audit directory, or as it was given. */
  readonly file: string
}

/**
 * What logs have committed to before other witnesses: the fleet log, and checkpoints that an auditor kept. A log may
 * have grown since; it cannot have become smaller, or another one.
 */
export class Commitments {
  /** By the `node/epoch` that an origin ends in, which is where the log lies. */
  readonly #byPlace = new Map<string, Map<number, Commitment>>()
  readonly #conflicts: { readonly checkpoint: Checkpoint; readonly commitment: Commitment }[] = []

  add({ origin, size, root }: Checkpoint, source: string, file: string): void {
    const place = origin.split('/').slice(-2).join('/')
    const sizes = this.#byPlace.get(place) ?? new Map<number, Commitment>()
    this.#byPlace.set(place, sizes)
    const known = sizes.get(size)
    const commitment = { root, source, file }
    if (known === undefined) sizes.set(size, commitment)
    else if (!known.root.equals(root))
      this.#conflicts.push({ checkpoint: { origin, size, root }, commitment })
  }

  places(): Iterable<string> {
    return this.#byPlace.keys()
  }

  /** By size, smallest first. */
  of({ node, epoch }: Pick<EpochPath, 'node' | 'epoch'>): (Commitment & { readonly size: number })[] {
    return [...(this.#byPlace.get(`${node}/${epoch}`) ?? [])]
      .map(([size, commitment]) => ({ size, ...commitment }))
      .sort((one, other) => one.size - other.size)
  }

  /** Two roots for one size of one log: it was signed twice. */
  get conflicts(): readonly { readonly checkpoint: Checkpoint; readonly commitment: Commitment }[] {
    return this.#conflicts
  }
}
