// Confluence pages with `Link: </wiki/api/v2/pages?cursor=…>; rel="next"`. Passed as it is, a client below the prefix
// /confluence would resolve it to a path without the prefix, which addresses no connector.
import { expect, test } from 'vitest'
import { externalLink } from '../../gateway/egress/external-address.ts'
import { vendorConnector } from '../harness/upstream.ts'

const connector = vendorConnector('https://site.vendor.test')
const ASKED = 'https://site.vendor.test/wiki/api/v2/pages?limit=1'
const rewrite = (value: string): string => externalLink(connector, 'https://gw.test/vendor', ASKED, value)

test.each([
  [
    '</wiki/api/v2/pages?cursor=a>; rel="next"',
    '<https://gw.test/vendor/wiki/api/v2/pages?cursor=a>; rel="next"',
  ],
  ['<?cursor=a>; rel="next"', '<https://gw.test/vendor/wiki/api/v2/pages?cursor=a>; rel="next"'],
  ['<https://elsewhere.test/a>; rel="help"', '<https://elsewhere.test/a>; rel="help"'],
])('%s', (value, rewritten) => {
  expect(rewrite(value)).toBe(rewritten)
})
