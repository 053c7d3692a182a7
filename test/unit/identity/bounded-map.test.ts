import { describe, expect, test } from 'vitest'
import { createBoundedMap } from '../../../gateway/identity/bounded-map.ts'

describe('a bounded map', () => {
  test('forgets what was not used for longest', () => {
    const map = createBoundedMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 2)
    map.get('a')
    map.set('c', 3)
    expect([map.get('a'), map.get('b'), map.get('c'), map.size()]).toEqual([1, undefined, 3, 2])
  })

  test('keeps one entry for a key that is set again', () => {
    const map = createBoundedMap<string, number>(2)
    map.set('a', 1)
    map.set('a', 2)
    map.set('b', 3)
    expect([map.get('a'), map.size()]).toEqual([2, 2])
  })
})
