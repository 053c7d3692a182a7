// The data of a bundle is not part of its module. Who forgets to set it, also after replacing an instance, has rules
// that know nobody; and data of a foreign bundle can reach into the tree of the rules.
import { expect, test } from 'vitest'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openBundle } from '../../gateway/policy/bundles/bundle.ts'
import { bareSdk, compileRules, FRIEND, friendWithBody, startPolicy } from '../harness/opa.ts'

const BY_REGISTRY = `
decision := {"allow": allow, "risk": 0, "reasons": [], "obligations": []}
default allow := false
allow if data.registry.friends[input.agent.id]
allow := false if input.params.body.conflict
`
const data = { friends: { friend: true } }

test('the bare SDK decides without the data of the bundle', async () => {
  const sdk = await bareSdk(await compileRules(BY_REGISTRY, { data }))
  expect(sdk.evaluate(FRIEND)[0].result.allow).toBe(false)
})

test('the gateway decides with it, also after an instance was replaced', async () => {
  await using running = await startPolicy(await compileRules(BY_REGISTRY, { data }))
  expect(running.policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
  expect(running.policy.decide(friendWithBody({ conflict: true }))).toMatchObject({ ok: false })
  expect(running.policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
})

test('data reaches the rules of the bare SDK as if it were one of them', async () => {
  const sdk = await bareSdk(await compileRules(OPEN_FOR_PACKS))
  expect(sdk.evaluate(FRIEND)[0].result.allow).toBe(false)
  sdk.setData({ gateway: { packs: { foreign: { grant: true } } } })
  expect(sdk.evaluate(FRIEND)[0].result.allow).toBe(true)
})

const OPEN_FOR_PACKS = `
decision := {"allow": allow, "risk": 0, "reasons": [], "obligations": []}
default allow := false
allow if {
	input.agent.id == "friend"
	data.gateway.packs[_].grant
}
`

test('a bundle with data where rules belong is not activated', async () => {
  const bundle = await compileRules(OPEN_FOR_PACKS, { data: {} })
  const forged = withData(bundle, '{"gateway":{"packs":{"foreign":{"grant":true}}}}')
  await expect(openBundle(forged)).rejects.toMatchObject({ problem: 'data' })
})

/** The bundle with other data, its header set right. */
function withData(bundle: Buffer, json: string): Buffer {
  const archive = gunzipSync(bundle)
  const header = Buffer.from(archive.subarray(0, 512))
  if (header.toString('latin1', 0, 10) !== '/data.json') throw new Error('data.json is not the first entry')
  const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
  header.write(`${json.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.fill(0x20, 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const content = Buffer.alloc(Math.ceil(json.length / 512) * 512)
  content.write(json)
  return gzipSync(Buffer.concat([header, content, archive.subarray(512 + Math.ceil(size / 512) * 512)]))
}
