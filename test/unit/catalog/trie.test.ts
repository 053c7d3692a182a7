import { describe, expect, it } from 'vitest'
import { parseTemplate } from '../../../gateway/catalog/template.ts'
import { createPathTrie, type PathTrie } from '../../../gateway/catalog/trie.ts'

function trieOf(routes: Record<string, readonly string[]>): PathTrie<string> {
  const trie = createPathTrie<string>()
  for (const [path, slash] of Object.entries(routes))
    trie.insert('GET', path, parseTemplate(path, slash), path)
  return trie
}

function find(trie: PathTrie<string>, path: string): unknown {
  const found = trie.find('GET', path.slice(1).split('/'))
  return found.kind === 'found' ? [found.value, found.pathParams] : found.kind
}

describe('a path trie', () => {
  it('prefers a literal to a parameter, and falls back where the literal leads nowhere', () => {
    const trie = trieOf({ '/releases/latest': [], '/releases/{id}': [], '/releases/{id}/assets': [] })
    expect(find(trie, '/releases/latest')).toEqual(['/releases/latest', {}])
    expect(find(trie, '/releases/7')).toEqual(['/releases/{id}', { id: '7' }])
    expect(find(trie, '/releases/7/assets')).toEqual(['/releases/{id}/assets', { id: '7' }])
  })

  it('compares literals by case', () => {
    expect(find(trieOf({ '/a/b': [] }), '/a/B')).toBe('unknown')
  })

  it('does not take an empty segment for a parameter', () => {
    expect(find(trieOf({ '/a/{b}': [] }), '/a/')).toBe('unknown')
  })

  it('takes a trailing slash only where the template has one', () => {
    const trie = trieOf({ '/a': [], '/b/': [] })
    expect(find(trie, '/a/')).toBe('unknown')
    expect(find(trie, '/b/')).toEqual(['/b/', {}])
  })

  it('gives a tail the rest of the path, raw or encoded', () => {
    const trie = trieOf({ '/contents/{path}': ['path'] })
    expect(find(trie, '/contents/a/b%20c')).toEqual(['/contents/{path}', { path: 'a/b c' }])
    expect(find(trie, '/contents/a%2Fb')).toEqual(['/contents/{path}', { path: 'a/b' }])
  })

  it('prefers a template with more literals to a tail', () => {
    const trie = trieOf({ '/branches/{branch}': ['branch'], '/branches/{branch}/protection': ['branch'] })
    expect(find(trie, '/branches/a%2Fb/protection')).toEqual([
      '/branches/{branch}/protection',
      { branch: 'a/b' },
    ])
    expect(find(trie, '/branches/a/b')).toEqual(['/branches/{branch}', { branch: 'a/b' }])
  })

  it('refuses a raw tail that could be a value followed by an operation', () => {
    const trie = trieOf({ '/commits/{ref}': ['ref'], '/commits/{ref}/status': ['ref'] })
    expect(find(trie, '/commits/heads/main/status')).toBe('ambiguous')
    expect(find(trie, '/commits/heads%2Fmain%2Fstatus')).toEqual([
      '/commits/{ref}',
      { ref: 'heads/main/status' },
    ])
  })

  it('refuses a slash in a parameter that has none', () => {
    expect(find(trieOf({ '/a/{b}': [] }), '/a/x%2Fy')).toBe('invalid')
  })

  it('keeps a numeric parameter for numbers', () => {
    const trie = trieOf({ '/r/{id:digits}/x': [], '/r/{name}/y': [] })
    expect(find(trie, '/r/12/x')).toEqual(['/r/{id:digits}/x', { id: '12' }])
    expect(find(trie, '/r/ab/x')).toBe('unknown')
    expect(find(trie, '/r/12/y')).toEqual(['/r/{name}/y', { name: '12' }])
  })

  it('knows methods apart', () => {
    const trie = trieOf({ '/a': [] })
    expect(trie.find('DELETE', ['a']).kind).toBe('unknown')
  })

  it('says which path already has a shape, and keeps it', () => {
    const trie = trieOf({ '/a/{b}': [] })
    expect(trie.insert('GET', '/a/{c}', parseTemplate('/a/{c}', []), 'later')).toBe('/a/{b}')
    expect(find(trie, '/a/x')).toEqual(['/a/{b}', { b: 'x' }])
  })

  it('is not slowed to a crawl by a path that almost matches everywhere', () => {
    const trie = createPathTrie<string>()
    // Every level has a literal and a parameter: 2^20 ways to try, were the shape not shared.
    for (let depth = 1; depth <= 20; depth += 1) {
      const path = `${'/a'.repeat(depth)}/{x}/end`
      trie.insert('GET', path, parseTemplate(path, []), path)
    }
    const started = performance.now()
    expect(
      trie.find(
        'GET',
        Array.from({ length: 24 }, () => 'a'),
      ).kind,
    ).toBe('unknown')
    expect(performance.now() - started).toBeLessThan(100)
  })
})

describe('a template', () => {
  it.each([
    ['no leading slash', 'a/b', []],
    ['two parameters in a segment', '/a/{b}...{c}', []],
    ['a parameter named twice', '/{a}/{a}', []],
    ['an empty segment', '/a//b', []],
    ['a dot segment', '/a/../b', []],
    ['a slash parameter that is not there', '/a/{b}', ['c']],
    ['a character that needs encoding', '/a b', []],
  ])('with %s is refused', (_what, path, slash) => {
    expect(() => parseTemplate(path, slash)).toThrow(RangeError)
  })
})
