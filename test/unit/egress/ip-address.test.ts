import { BlockList, isIP } from 'node:net'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { contains, parseAddress, parseRange } from '../../../gateway/egress/ip-address.ts'

it.each([
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '0x7f.0.0.1',
  '256.0.0.1',
  '1.2.3.4 ',
  '2130706433',
  '',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  '::g',
  'fe80::1%eth0',
  '[::1]',
  '::1.2.3',
  '1.2.3.4::',
  '::1.2.3.4:5',
])('does not read %j as an address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

it.each([
  ['::ffff:1.2.3.4', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4]],
  ['::', Array.from({ length: 16 }, () => 0)],
  ['2001:DB8::1', [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ['1:2:3:4:5:6:7::', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]],
  ['10.0.0.255', [10, 0, 0, 255]],
])('reads %s', (text, bytes) => {
  expect([...(parseAddress(text) ?? [])]).toEqual(bytes)
})

it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8/8', 'host/8', '/8'])(
  'does not read %j as a range',
  (text) => {
    expect(parseRange(text)).toBeUndefined()
  },
)

it('reads an address exactly where the platform does, zone identifiers apart', () => {
  const awkward = fc.stringMatching(/^[0-9a-f:.]{0,24}$/)
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), awkward), (text) => {
      expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0)
    }),
    { numRuns: 2_000 },
  )
})

it('finds addresses in ranges as the platform does', () => {
  const ranges = fc.oneof(
    fc.record({
      family: fc.constant('ipv4' as const),
      base: fc.ipV4(),
      bits: fc.integer({ min: 1, max: 32 }),
    }),
    fc.record({
      family: fc.constant('ipv6' as const),
      base: fc.ipV6(),
      bits: fc.integer({ min: 1, max: 128 }),
    }),
  )
  fc.assert(
    fc.property(ranges, fc.ipV4(), fc.ipV6(), fc.boolean(), ({ family, base, bits }, ipV4, ipV6, near) => {
      const other = family === 'ipv4' ? ipV4 : ipV6
      // A neighbour of the range's base is inside often enough to prove something.
      const address = near ? base.replace(/[0-9a-f]$/, '1') : other
      if (isIP(address) === 0) return
      const oracle = new BlockList()
      oracle.addSubnet(base, bits, family)
      const range = parseRange(`${base}/${bits}`)
      const parsed = parseAddress(address)
      if (range === undefined || parsed === undefined) throw new Error('not read')
      expect(contains(range, parsed)).toBe(oracle.check(address, family))
    }),
    { numRuns: 2_000 },
  )
})

it('never finds an address of one family in a range of the other', () => {
  const range = parseRange('::/0')
  const address = parseAddress('10.0.0.1')
  expect(range && address && contains(range, address)).toBe(false)
})
