import { expect, it } from 'vitest'
import { createAddressGuard } from '../../../gateway/egress/address-guard.ts'

it.each([
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '::',
  '::1',
  '::10.0.0.1',
  '::8.8.8.8',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '::ffff:0:8.8.8.8',
  '64:ff9b::10.0.0.1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::8.8.8.8',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:a00:1::',
  '2002:808:808::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
  '0177.0.0.1',
  '2130706433',
])('denies %j', (address) => {
  expect(createAddressGuard([])(address)).toBe(false)
})

it.each([
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.1',
  '140.82.112.6',
  '172.15.255.255',
  '172.32.0.1',
  '192.0.1.1',
  '198.20.0.1',
  '223.255.255.255',
  '::ffff:140.82.112.6',
  '64:ff9b::140.82.112.6',
  '2001:200::1',
  '2606:50c0:8000::154',
  '2a00:1450:4001::1',
])('allows the public %s', (address) => {
  expect(createAddressGuard([])(address)).toBe(true)
})

it('allows what is configured, in whatever form the address comes', () => {
  const guard = createAddressGuard(['10.1.0.0/16', 'fd12:3456::/32'])
  expect(['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd12:3456::1'].map(guard)).toEqual(
    Array.from({ length: 4 }, () => true),
  )
  expect(['10.2.0.1', '::ffff:10.2.0.1', 'fd12:3457::1'].map(guard)).toEqual([false, false, false])
})

it.each([
  ['169.254.169.254', '169.254.0.0/16'],
  ['169.254.169.254', '0.0.0.0/0'],
  ['::ffff:169.254.169.254', '::/0'],
  ['64:ff9b::a9fe:a9fe', '64:ff9b::/96'],
  ['100.100.100.200', '100.64.0.0/10'],
  ['fd00:ec2::254', 'fd00::/8'],
])('does not take %s, where clouds hand out credentials, for meant by %s', (address, range) => {
  expect(createAddressGuard([range])(address)).toBe(false)
})

it('lets a metadata address through that is named itself', () => {
  expect(createAddressGuard(['169.254.169.254/32'])('169.254.169.254')).toBe(true)
  expect(createAddressGuard(['fd00:ec2::254'])('fd00:ec2::254')).toBe(true)
})

it('names a range that it cannot read', () => {
  expect(() => createAddressGuard(['10.0.0.0/8', 'intranet'])).toThrow('intranet')
})
