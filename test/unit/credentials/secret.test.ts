import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Secret } from '../../../gateway/credentials/secret.ts'

const VALUE = 'hunter2-hunter2'

it.each<[string, (secret: Secret) => string]>([
  ['a template', (secret) => `token: ${String(secret)}`],
  ['JSON', (secret) => JSON.stringify({ secret })],
  ['inspect', (secret) => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
  ['its own keys', (secret) => Reflect.ownKeys(secret).join()],
  ['an error', (secret) => inspect(new Error('failed', { cause: secret }))],
  ['a copy', (secret) => JSON.stringify(Object.assign({}, secret))],
])('does not print in %s', (_where, print) => {
  expect(print(new Secret(VALUE))).not.toContain(VALUE)
})

it('has a version that tells values apart and says nothing of them', () => {
  const version = new Secret(VALUE).version()
  expect(version).toBe(new Secret(VALUE).version())
  expect(version).not.toBe(new Secret(`${VALUE}x`).version())
  // A plain hash could be guessed offline by whoever reads the log.
  expect(createHash('sha256').update(VALUE).digest('hex')).not.toContain(version)
  expect(version).toMatch(/^[0-9a-f]{12}$/)
})
