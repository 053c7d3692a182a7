import { describe, expect, test } from 'vitest'
import { compileClaimPath } from '../../../gateway/identity/claim-path.ts'

describe('a claim path', () => {
  const claims = { a: { b: ['x'] }, 'a.b': 'dotted', 'https://x/y': 'url', 'm~n': 'tilde' }

  test.each([
    ['a.b', ['x']],
    ['/a/b', ['x']],
    ['/a.b', 'dotted'],
    ['/https:~1~1x~1y', 'url'],
    ['/m~0n', 'tilde'],
    ['a.c', undefined],
    ['a.b.0', undefined],
    ['__proto__', undefined],
    ['constructor.name', undefined],
    ['a.b.length', undefined],
  ])('%s', (path, value) => {
    expect(compileClaimPath(path)(claims)).toEqual(value)
  })
})
