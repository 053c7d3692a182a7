import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBoundedMap } from '../../../gateway/identity/bounded-map.ts'

test('what is used stays, what is not is forgotten first', () => {
  const map = createBoundedMap<string, number>(4)
  for (const [index, key] of ['a', 'b', 'c'].entries()) map.set(key, index)
  expect(map.get('a')).toBe(0)
  map.set('d', 3)
  expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([0, undefined, 2, 3])
})

test('a key that is set again has the new value only', () => {
  const map = createBoundedMap<string, number>(4)
  map.set('a', 1)
  map.set('a', 2)
  expect([map.get('a'), map.size()]).toEqual([2, 1])
  map.delete('a')
  expect([map.get('a'), map.size()]).toEqual([undefined, 0])
})

test('it is never larger than it may be, and never gives a value that was not the last one set', () => {
  const step = fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.integer({ min: 0, max: 20 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = createBoundedMap<number, number>(8)
      const last = new Map<number, number>()
      for (const [index, [action, key]] of steps.entries()) {
        if (action === 'set') {
          map.set(key, index)
          last.set(key, index)
        } else if (action === 'delete') {
          map.delete(key)
          last.delete(key)
        }
        expect([undefined, last.get(key)]).toContain(map.get(key))
        expect(map.size()).toBeLessThanOrEqual(8)
      }
    }),
  )
})
