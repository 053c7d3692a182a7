/** A map that forgets what was not used lately. Only for what can be computed again. */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
  delete(key: K): void
  /** Never above `maxEntries`. */
  size(): number
}

/**
 * Keeps two generations of half the size each: an entry that is used while it is in the older one moves to the
 * younger, and the rest of the older is dropped as a whole. A read of a recent entry then changes nothing, where
 * keeping an exact order costs a deletion and an insertion for each call.
 */
export function createBoundedMap<K, V>(maxEntries: number): BoundedMap<K, V> {
  const half = Math.max(1, Math.floor(maxEntries / 2))
  let young = new Map<K, V>()
  let old = new Map<K, V>()
  const add = (key: K, value: V): void => {
    old.delete(key)
    if (young.size >= half && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    get(key) {
      const recent = young.get(key)
      if (recent !== undefined) return recent
      const value = old.get(key)
      if (value !== undefined) add(key, value)
      return value
    },
    set: add,
    delete(key) {
      young.delete(key)
      old.delete(key)
    },
    size: () => young.size + old.size,
  }
}
