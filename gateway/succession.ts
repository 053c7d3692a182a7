/** Holds the current one of things that follow each other, and keeps each until its last user is done. */
export interface Succession<T extends AsyncDisposable> extends AsyncDisposable {
  readonly current: T
  /** Runs `work` with the current one, which is not disposed of before `work` has settled. */
  use(work: (current: T) => Promise<void>): Promise<void>
  /** Makes `next` the current one; the one before goes when it is no longer used. */
  succeed(next: T): void
}

interface Reign<T> {
  readonly value: T
  users: number
}

/** `onLost` is told when one that was replaced could not be disposed of. */
export function createSuccession<T extends AsyncDisposable>(
  first: T,
  onLost: (cause: unknown) => void,
): Succession<T> {
  let reign: Reign<T> = { value: first, users: 0 }
  const leave = (left: Reign<T>): void => {
    if (left !== reign && left.users === 0) Promise.resolve(left.value[Symbol.asyncDispose]()).catch(onLost)
  }
  return {
    get current() {
      return reign.value
    },
    async use(work) {
      const used = reign
      used.users += 1
      try {
        await work(used.value)
      } finally {
        used.users -= 1
        leave(used)
      }
    },
    succeed(next) {
      const before = reign
      reign = { value: next, users: 0 }
      leave(before)
    },
    [Symbol.asyncDispose]: () => reign.value[Symbol.asyncDispose](),
  }
}
