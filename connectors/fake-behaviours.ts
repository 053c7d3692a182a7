import type { Behaviour } from './fake-reply.ts'
import type { FakeRequest } from './fake-route.ts'

/** How a fake is told to answer, for as long and as often as it was told. */
export class Behaviours {
  readonly #entries: { readonly behaviour: Behaviour; left: number }[] = []

  /** In force until the handle is disposed, or it has applied `times`. */
  add(behaviour: Behaviour): Disposable {
    const entry = { behaviour, left: behaviour.times ?? Number.POSITIVE_INFINITY }
    this.#entries.push(entry)
    return { [Symbol.dispose]: () => void this.#entries.splice(this.#entries.indexOf(entry) >>> 0, 1) }
  }

  /** The newest that applies to the request, counted as one of its times; empty where none applies. */
  take(request: FakeRequest): Behaviour {
    const found = this.#entries.findLast(
      ({ behaviour, left }) => left > 0 && (behaviour.when?.(request) ?? true),
    )
    if (found === undefined) return {}
    found.left -= 1
    return found.behaviour
  }
}
