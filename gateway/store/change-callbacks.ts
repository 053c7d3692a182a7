/** Who wants to know of changes, by the id of what changes. */
export class ChangeCallbacks {
  readonly #byId = new Map<string, Set<() => void>>()

  /** Returns how to stop. */
  watch(id: string, onChange: () => void): () => void {
    const callbacks = this.#byId.get(id) ?? new Set()
    // The same function twice is told twice, and each is stopped by itself.
    const own = (): void => onChange()
    this.#byId.set(id, callbacks.add(own))
    return () => {
      callbacks.delete(own)
      if (callbacks.size === 0 && this.#byId.get(id) === callbacks) this.#byId.delete(id)
    }
  }

  watched(): readonly string[] {
    return [...this.#byId.keys()]
  }

  changed(id: string): void {
    for (const onChange of this.#byId.get(id) ?? []) onChange()
  }

  /** Something may have changed that nobody was told of. */
  allChanged(): void {
    for (const callbacks of this.#byId.values()) for (const onChange of callbacks) onChange()
  }
}
