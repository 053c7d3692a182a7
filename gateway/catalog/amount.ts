import type { Amount } from '../exchange.ts'
import { pass, refuse, type Refusal, type Verdict } from '../refusal.ts'
import { isCurrency, minorDigitsOf } from './currency.ts'
import { twinInQuery, valuesAt, type ResourceSources } from './resource.ts'
import { bodyOnlyNames, parseResourceTemplate, type Placeholder } from './resource-rule.ts'

/** Where the amount of an operation stands. */
export interface AmountRule {
  readonly value: Placeholder
  /** A place, or the one currency that the operation knows. */
  readonly currency: Placeholder | string
  /** Whether the vendor counts in the smallest unit of the currency, as Stripe does, or in the currency itself. */
  readonly unit: 'minor' | 'major'
}

/** The rule as overrides.yaml spells it. */
export interface AmountOverride {
  readonly value: string
  readonly currency: string
  readonly unit: 'minor' | 'major'
}

/** A double tells every decimal of so many digits from every other; beyond, the sum that is sent may not be the one read. */
const MOST_DIGITS = 15
/** No sign, exponent, blank, separator of thousands or leading zero: what one server takes for them another does not. */
const DECIMAL = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/

/** @throws RangeError when a place is not one */
export function compileAmount({ value, currency, unit }: AmountOverride): AmountRule {
  if (isCurrency(currency)) return { value: placeOf(value), currency, unit }
  return { value: placeOf(value), currency: placeOf(currency), unit }
}

/**
 * The amount that a call moves, exact. An operation that carries an amount has to say it in the call itself, once, in a
 * form that cannot be read as another sum; otherwise nobody could tell what a budget has left.
 */
export function readAmount(rule: AmountRule, sources: ResourceSources): Verdict<Amount> {
  const places = [rule.value, rule.currency].filter((place) => typeof place !== 'string')
  const twin = twinInQuery(bodyOnlyNames(places), sources.query)
  if (twin !== undefined)
    return refuse('request.ambiguous', { detail: `amount: "${twin}" is named in the query` })
  const currency = typeof rule.currency === 'string' ? pass(rule.currency) : readOne(rule.currency, sources)
  if (!currency.ok) return currency
  // Beyond ASCII, capitals make different letters equal: the dotless i becomes I.
  const code = /^[A-Za-z]{3}$/.test(currency.value) ? currency.value.toUpperCase() : ''
  if (!isCurrency(code)) return invalid('the currency is not one')
  const value = readOne(rule.value, sources)
  if (!value.ok) return value
  const minorDigits = minorDigitsOf(code)
  const minor = minorUnitsOf(value.value, rule.unit === 'minor' ? 0 : minorDigits)
  if (minor === undefined) return invalid('the value is not an exact, positive sum of its currency')
  return pass({ minor, currency: code, minorDigits })
}

/** The sum in units of the currency, as rules read it: the double nearest to it. */
export function majorUnits(minor: number, minorDigits: number): number {
  return minor / 10 ** minorDigits
}

function placeOf(text: string): Placeholder {
  const [place, ...others] = parseResourceTemplate(text)
  if (place === undefined || typeof place === 'string' || others.length > 0 || place.tokens.includes('*'))
    throw new RangeError(`"${text}" is not one place`)
  if (place.filter !== undefined) throw new RangeError(`"${text}": an amount is read as it is`)
  return place
}

function readOne(place: Placeholder, sources: ResourceSources): Verdict<string> {
  const values = valuesAt(place, sources, 'decimals')
  if (!values.ok)
    return { ok: false, refusal: { ...values.refusal, detail: `amount: ${values.refusal.detail}` } }
  const [value, ...others] = values.value
  if (value === undefined) return invalid(`/${place.source}/${place.tokens.join('/')} is not there`)
  return others.length > 0 ? invalid('there are several') : pass(value)
}

function minorUnitsOf(text: string, fractionDigits: number): number | undefined {
  const [whole, units, fraction = ''] = DECIMAL.exec(text) ?? []
  if (whole === undefined || units === undefined || fraction.length > fractionDigits) return undefined
  const digits = units + fraction.padEnd(fractionDigits, '0')
  return digits.replace(/^0+/, '').length > MOST_DIGITS ? undefined : Number(digits)
}

function invalid(detail: string): { ok: false; refusal: Refusal } {
  return refuse('policy.input_invalid', { detail: `amount: ${detail}` })
}
