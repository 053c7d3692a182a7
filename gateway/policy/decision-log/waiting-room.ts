/** Calls that wait until the buffer has room, in the order in which they came. */
export class WaitingRoom {
  readonly #room: () => number
  #waiting = new Set<(admitted: boolean) => void>()

  /** @param room how many may come in now */
  constructor(room: () => number) {
    this.#room = room
  }

  /** Whether there was room in time. */
  wait(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const settle = (admitted: boolean): void => {
      clearTimeout(timer)
      this.#waiting.delete(settle)
      resolve(admitted)
    }
    const timer = setTimeout(() => settle(false), timeoutMs)
    this.#waiting.add(settle)
    return promise
  }

  /** Told when there may be room. */
  look(): void {
    let room = this.#waiting.size === 0 ? 0 : this.#room()
    for (const settle of this.#waiting) {
      if (room <= 0) return
      room -= 1
      settle(true)
    }
  }
}
