import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadCatalog, type Catalog } from '../../../gateway/catalog/catalog.ts'
import { minorDigitsOf } from '../../../gateway/catalog/currency.ts'
import { compileAmount, majorUnits } from '../../../gateway/catalog/amount.ts'
import type { ViewBody } from '../../../gateway/catalog/view.ts'
import type { Amount, Resource } from '../../../gateway/exchange.ts'
import { paymentsConnectors } from '../../harness/payments-connector.ts'
import type { TemporaryDirectory } from '../../harness/temporary-directory.ts'
import { connectorConfig } from './catalog-harness.ts'

let directory: TemporaryDirectory
let catalog: Catalog
beforeAll(async () => {
  directory = await paymentsConnectors()
  catalog = loadCatalog({ payments: connectorConfig }, directory.path)
})
afterAll(() => directory[Symbol.asyncDispose]())

function viewOf(
  id: string,
  body: ViewBody,
  query = '',
): { amount?: Amount | undefined; resource: Resource } | string {
  const operation = catalog.operations('payments').find((each) => each.id === `payments.${id}`)
  if (operation === undefined) throw new RangeError(`${id} is not in the catalogue`)
  const verdict = catalog.view(operation, { pathParams: {}, query, body, digest: '' })
  return verdict.ok ? verdict.value : verdict.refusal.code
}

function amountOf(id: string, value: unknown): Amount | string | undefined {
  const seen = viewOf(id, { kind: 'json', value: value })
  return typeof seen === 'string' ? seen : seen.amount
}

describe('the amount of a call', () => {
  it('is read exactly, in minor units, and shown to rules in units of its currency', () => {
    expect(
      viewOf('createPayment', { kind: 'json', value: { account: 'a', amount: 1050, currency: 'eur' } }),
    ).toMatchObject({
      amount: { minor: 1050, currency: 'EUR', minorDigits: 2 },
      resource: { amount: { value: 10.5, currency: 'EUR' } },
    })
    expect(amountOf('createCharge', { amount: 500 })).toEqual({ minor: 500, currency: 'JPY', minorDigits: 0 })
  })

  it.each([
    ['10.50', 'EUR', 1050],
    ['10.5', 'EUR', 1050],
    [10.5, 'EUR', 1050],
    [0.29, 'EUR', 29],
    [1.005, 'KWD', 1005],
    ['1000', 'JPY', 1000],
    ['0', 'EUR', 0],
    [9_999_999_999_999.99, 'EUR', 999_999_999_999_999],
  ])('of %s %s is %d in minor units', (value, currency, minor) => {
    expect(amountOf('createTransfer', { instructed: { value, currency } })).toMatchObject({ minor })
  })

  it.each([
    ['negative', -5, 'EUR'],
    ['negative as text', '-5', 'EUR'],
    ['signed', '+5', 'EUR'],
    ['more precise than its currency', '10.505', 'EUR'],
    ['more precise than its currency, as thousands are written elsewhere', '10.000', 'EUR'],
    ['of a currency without cents', '10.5', 'JPY'],
    ['with a comma', '10,50', 'EUR'],
    ['an exponent', '1e3', 'EUR'],
    ['too small a number', 1e-7, 'EUR'],
    ['too large to be exact', 10_000_000_000_000.01, 'EUR'],
    ['beyond any number', 1e21, 'EUR'],
    ['hexadecimal', '0x10', 'EUR'],
    ['with a leading zero', '010', 'EUR'],
    ['blank around it', ' 10 ', 'EUR'],
    ['other digits', '１０', 'EUR'],
    ['empty', '', 'EUR'],
    ['null', null, 'EUR'],
    ['a list', [10, 20], 'EUR'],
    ['an object', { value: 10 }, 'EUR'],
    ['true', true, 'EUR'],
    ['not a currency', 10, 'ABC'],
    ['not a currency of ASCII', 10, 'ıqd'],
    ['no currency', 10, undefined],
  ])('is refused when it is %s', (_what, value, currency) => {
    expect(amountOf('createTransfer', { instructed: { value, currency } })).toBe('policy.input_invalid')
  })

  it.each([[10.5], ['10.5'], ['10.0']])(
    'is refused in minor units when it is no whole number: %s',
    (amount) => {
      expect(amountOf('createPayment', { account: 'a', amount, currency: 'EUR' })).toBe(
        'policy.input_invalid',
      )
    },
  )

  it('has to be said by the call itself, where policy can see it, and only there', () => {
    expect(amountOf('createPayment', { account: 'a', currency: 'EUR' })).toBe('policy.input_invalid')
    expect(viewOf('createCharge', { kind: 'opaque' })).toBe('policy.input_invalid')
    expect(viewOf('createCharge', { kind: 'none' }, 'amount=5')).toBe('request.ambiguous')
    expect(viewOf('createCharge', { kind: 'json', value: { amount: 5 } }, 'amount=500')).toBe(
      'request.ambiguous',
    )
    expect(viewOf('createCharge', { kind: 'form', text: 'amount=5&amount=500' })).toBe('request.ambiguous')
    expect(viewOf('createCharge', { kind: 'form', text: 'amount=5&amount[]=500' })).toBe('request.ambiguous')
    expect(viewOf('createCharge', { kind: 'form', text: 'amount=500' })).toMatchObject({
      amount: { minor: 500 },
    })
  })

  it('is none where the operation carries none, whatever the call says', () => {
    expect(viewOf('getPayment', { kind: 'none' })).toMatchObject({
      amount: undefined,
      resource: { amount: { value: 0, currency: '' } },
    })
  })

  it('survives the way to units of the currency and back, for every sum', () => {
    const sums = fc.tuple(fc.nat(999_999_999), fc.nat(999_999), fc.constantFrom('EUR', 'JPY', 'KWD'))
    fc.assert(
      fc.property(sums, ([high, low, currency]) => {
        const minor = high * 1_000_000 + low
        const value = majorUnits(minor, minorDigitsOf(currency))
        expect(amountOf('createTransfer', { instructed: { value, currency } })).toMatchObject({ minor })
      }),
    )
  })
})

describe('the place of an amount', () => {
  it.each([
    '/body/amount',
    '{/body/items/*/amount}',
    '{/body/amount|lower}',
    '{/body/a}{/body/b}',
    'x{/body/a}',
  ])('is one place and nothing else, not %s', (value) => {
    expect(() => compileAmount({ value, currency: 'EUR', unit: 'minor' })).toThrow(RangeError)
  })
})
