/** Alphabetic codes of ISO 4217 as this runtime knows them: money that people pay with, not metals or units of account. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/**
 * Digits of the minor unit where they are not two (ISO 4217, list one). Not from `Intl`, whose digits are those that
 * people write, which for some currencies are fewer.
 */
const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...digits(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XDR XOF XPF XSU'),
  ...digits(3, 'BHD IQD JOD KWD LYD OMR TND'),
])

export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code)
}

export function minorDigitsOf(currency: string): number {
  return MINOR_DIGITS.get(currency) ?? 2
}

function digits(count: number, codes: string): [string, number][] {
  return codes.split(' ').map((code) => [code, count])
}
