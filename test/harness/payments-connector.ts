import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TemporaryDirectory } from './temporary-directory.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const SHIPPED = fileURLToPath(new URL('../../connectors/', import.meta.url))

const FILES: Readonly<Record<string, string>> = {
  'connector.yaml': `
name: payments
title: Payments of a made-up bank
origin: https://payments.example.com
prefix: /payments
dialect: problem
credential: bearer
bodyLimitBytes: 65536
`,
  'operations.json': JSON.stringify({
    connector: 'payments',
    sources: [],
    operations: [
      { id: 'createPayment', method: 'POST', path: '/v1/payments' },
      { id: 'createTransfer', method: 'POST', path: '/v1/transfers' },
      { id: 'createCharge', method: 'POST', path: '/v1/charges' },
      { id: 'getPayment', method: 'GET', path: '/v1/payments/{id}' },
      { id: 'getCustomer', method: 'GET', path: '/v1/customers/{id}' },
    ],
  }),
  'overrides.yaml': `
defaults:
  read: { risk: 1, dataClass: confidential, reversible: true }
  write: { risk: 6, dataClass: confidential, reversible: false }
  execute: { risk: 8, dataClass: confidential, reversible: false }
rules:
  - match: [createPayment]
    resources: { account: ['{/body/account}'] }
    amount: { value: '{/body/amount}', currency: '{/body/currency}', unit: minor }
  - match: [createTransfer]
    amount: { value: '{/body/instructed/value}', currency: '{/body/instructed/currency}', unit: major }
  - match: [createCharge]
    amount: { value: '{/body/amount}', currency: JPY, unit: minor }
`,
}

/** A folder of connectors: the shipped ones, and `payments`, whose operations carry amounts in three ways. */
export async function paymentsConnectors(): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory()
  for (const name of ['github', 'jira', 'confluence', 'slack']) {
    await symlink(join(SHIPPED, name), join(directory.path, name))
  }
  for (const [file, text] of Object.entries(FILES)) {
    const path = join(directory.path, 'payments', file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  return directory
}
