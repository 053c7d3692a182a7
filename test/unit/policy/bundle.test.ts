import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { openBundle } from '../../../gateway/policy/bundles/bundle.ts'
import { readTar } from '../../../gateway/policy/bundles/tar.ts'
import { compileRules, FRIEND_RULES, startPolicy } from '../../harness/opa.ts'
import { tar } from '../../harness/tar.ts'

const COMMITTED = join(import.meta.dirname, '..', '..', '..', 'policies-rego', 'bundle.tar.gz')

let bundle: Buffer
let entries: ReadonlyMap<string, Buffer>
beforeAll(async () => {
  bundle = await compileRules(FRIEND_RULES, { data: {} })
  entries = readTar(gunzipSync(bundle), { maxEntries: 100, maxEntryBytes: 1 << 24 })
})

/** The bundle with some files replaced, added or, when `undefined`, left out. */
function altered(changes: Readonly<Record<string, string | Buffer | undefined>>): Buffer {
  const files = new Map<string, string | Buffer | undefined>([...entries, ...Object.entries(changes)])
  const kept = [...files].flatMap(([name, content]) => (content === undefined ? [] : [{ name, content }]))
  return gzipSync(tar(kept))
}

function manifest(changes: Readonly<Record<string, unknown>>): Buffer {
  const base = JSON.parse(String(entries.get('.manifest'))) as Record<string, unknown>
  return altered({ '.manifest': JSON.stringify({ ...base, ...changes }) })
}

describe('a bundle', () => {
  test('made by opa build is opened, and named by the digest of its file', async () => {
    const committed = await readFile(COMMITTED)
    const { digest, revision, roots } = await openBundle(committed)
    expect(digest).toBe(`sha256:${createHash('sha256').update(committed).digest('hex')}`)
    expect(revision).toMatch(/^[\da-f]{16}$/)
    expect(roots).toEqual(['gateway', 'registry', 'system'])
  })

  test('is opened when nothing was altered', async () => {
    await expect(openBundle(altered({}))).resolves.toMatchObject({ roots: ['gateway', 'registry'] })
  })

  test.each<[string, () => Buffer, string]>([
    ['is not gzip', () => Buffer.from('x'.repeat(2000)), 'archive'],
    ['is empty', () => Buffer.alloc(0), 'archive'],
    ['is cut short', () => bundle.subarray(0, bundle.length - 9), 'archive'],
    ['has bytes after its end', () => Buffer.concat([bundle, Buffer.from('more')]), 'archive'],
    ['is padded after its end', () => Buffer.concat([bundle, Buffer.alloc(20)]), 'archive'],
    ['is signed, which nobody here verifies', () => altered({ '.signatures.json': '{}' }), 'signature'],
    ['holds a file nobody reads', () => altered({ 'plan.json': '{}' }), 'archive'],
    ['holds data where nobody looks for it', () => altered({ 'registry/data.json': '{}' }), 'archive'],
    ['holds data as YAML', () => altered({ 'data.yaml': 'a: 1' }), 'archive'],
    ['has no manifest', () => altered({ '.manifest': undefined }), 'manifest'],
    ['has a manifest that is not JSON', () => altered({ '.manifest': '{' }), 'manifest'],
    ['has a manifest that is a list', () => altered({ '.manifest': '[]' }), 'manifest'],
    ['has no revision', () => manifest({ revision: undefined }), 'manifest'],
    ['has an empty revision', () => manifest({ revision: '' }), 'manifest'],
    ['has no roots', () => manifest({ roots: undefined }), 'manifest'],
    ['has an empty list of roots', () => manifest({ roots: [] }), 'manifest'],
    ['claims everything as its root', () => manifest({ roots: [''] }), 'manifest'],
    ['has a root that is a path upwards', () => manifest({ roots: ['gateway', '../registry'] }), 'manifest'],
    ['has no module', () => altered({ 'policy.wasm': undefined }), 'wasm'],
    ['names no module', () => manifest({ wasm: [] }), 'entrypoint'],
    [
      'names another entrypoint',
      () => manifest({ wasm: [{ entrypoint: 'a/b', module: '/policy.wasm' }] }),
      'entrypoint',
    ],
    [
      'names another module',
      () => manifest({ wasm: [{ entrypoint: 'a/b', module: '/other.wasm' }] }),
      'wasm',
    ],
    ['has data that is not JSON', () => altered({ 'data.json': '{"registry":' }), 'data'],
    [
      'has data that is not UTF-8',
      () => altered({ 'data.json': Buffer.from('7b2261223a22ff227d', 'hex') }),
      'data',
    ],
    ['has data that is a list', () => altered({ 'data.json': '[]' }), 'data'],
    ['has data outside its roots', () => altered({ 'data.json': '{"registry":{},"other":1}' }), 'data'],
    ['has data where its rules are', () => altered({ 'data.json': '{"gateway":{"decision":{}}}' }), 'data'],
    ['has data where the rules of OPA are', () => altered({ 'data.json': '{"system":{}}' }), 'data'],
  ])('is refused when it %s', async (_, make, problem) => {
    await expect(openBundle(make())).rejects.toMatchObject({ name: 'BundleError', problem })
  })

  test('may own roots that lie beside each other', async () => {
    const roots = ['gateway', 'registry/agents', 'registry/tools']
    const named = { ...(JSON.parse(String(entries.get('.manifest'))) as object), roots }
    const open = (data: unknown): Promise<unknown> =>
      openBundle(altered({ '.manifest': JSON.stringify(named), 'data.json': JSON.stringify(data) }))
    await expect(open({ registry: { agents: {}, tools: { a: 1 } } })).resolves.toMatchObject({ roots })
    await expect(open({ registry: { agents: {}, tenants: {} } })).rejects.toMatchObject({ problem: 'data' })
    await expect(open({ registry: 1 })).rejects.toMatchObject({ problem: 'data' })
  })

  test('is refused when it is larger than allowed, packed or unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(4 << 20))
    const limits = { maxCompressedBytes: 1 << 20, maxBytes: 1 << 20, maxEntries: 10 }
    await expect(openBundle(bomb, { limits })).rejects.toMatchObject({ problem: 'archive' })
    const packed = gzipSync(randomBytes(1 << 20), { level: 0 })
    await expect(openBundle(packed, { limits })).rejects.toThrow(`larger than ${1 << 20} bytes`)
  })
})

describe('a module', () => {
  test.each<[string, (wasm: Buffer) => Buffer, string]>([
    ['is not one', () => Buffer.from('not a module at all'), 'wasm'],
    ['is cut short', (wasm) => wasm.subarray(0, wasm.length >> 1), 'wasm'],
    ['is empty', () => Buffer.from('0061736d01000000', 'hex'), 'wasm'],
    ['says it is of another version', (wasm) => changed(wasm, 4, 2), 'wasm'],
    ['lost an export', (wasm) => renamed(wasm, 'opa_heap_ptr_get', 'opa_heap_ptr_xxx'), 'wasm'],
    ['is of another ABI', ofAbi2, 'wasm'],
    [
      'has another entrypoint',
      (wasm) => renamed(wasm, 'gateway/decision/decision', 'gateway/decision/detour__'),
      'entrypoint',
    ],
  ])('is refused when it %s', async (_, alter, problem) => {
    const wasm = entries.get('policy.wasm') ?? Buffer.alloc(0)
    await expect(startPolicy(altered({ 'policy.wasm': alter(wasm) }))).rejects.toMatchObject({ problem })
  })

  test('is refused when it allows a call by nobody', async () => {
    const rules = 'decision := {"allow": true, "risk": 0, "reasons": [], "obligations": []}'
    await expect(startPolicy(await compileRules(rules))).rejects.toMatchObject({ problem: 'self_test' })
  })

  test('is refused when a call by nobody gets no well-formed decision', async () => {
    const rules = 'decision := {"allow": false, "reasons": []}'
    await expect(startPolicy(await compileRules(rules))).rejects.toMatchObject({ problem: 'self_test' })
  })

  test('is refused when a call by nobody makes it throw', async () => {
    const rules = 'decision := {"a": 1} if input.v == 1\n\ndecision := {"a": 2} if input.tenant == ""'
    await expect(startPolicy(await compileRules(rules))).rejects.toMatchObject({ problem: 'self_test' })
  })
})

/** The module with its constants of ABI 1.3 made 2.3. */
function ofAbi2(wasm: Buffer): Buffer {
  const at = wasm.indexOf(Buffer.from('7f0041010b7f0041030b', 'hex'))
  if (at === -1) throw new Error('the module does not hold the constants of ABI 1.3')
  return changed(wasm, at + 3, 2)
}

function changed(wasm: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(wasm)
  copy[at] = value
  return copy
}

function renamed(wasm: Buffer, name: string, other: string): Buffer {
  const at = wasm.indexOf(name)
  if (at === -1) throw new Error(`the module does not hold ${name}`)
  const copy = Buffer.from(wasm)
  copy.write(other, at, 'latin1')
  return copy
}
