import type { PeopleConfig } from '../config/admin-config.ts'
import type { Entrance } from './entrance.ts'

export type OpenEntrance = Entrance & Disposable

/** The entrance of now, which changes with the people who are known. Who asks before there is one waits for it. */
export class CurrentEntrance implements AsyncDisposable {
  readonly #open: (people: PeopleConfig) => Promise<OpenEntrance>
  readonly #first = Promise.withResolvers<OpenEntrance>()
  #current = this.#first.promise
  #changing = Promise.resolve()
  #isOpen = false

  constructor(open: (people: PeopleConfig) => Promise<OpenEntrance>) {
    this.#open = open
  }

  now(): Promise<Entrance> {
    return this.#current
  }

  /** The one before stays where the new one cannot be opened. One after the other, so that the last one wins. */
  use(people: PeopleConfig): Promise<void> {
    const change = this.#changing.then(() => this.#replace(people))
    this.#changing = change.catch(() => undefined)
    return change
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changing
    if (this.#isOpen) (await this.#current)[Symbol.dispose]()
  }

  async #replace(people: PeopleConfig): Promise<void> {
    const next = await this.#open(people)
    if (this.#isOpen) {
      const before = await this.#current
      this.#current = Promise.resolve(next)
      before[Symbol.dispose]()
    } else this.#first.resolve(next)
    this.#isOpen = true
  }
}
