import { FINDING_NAMES } from '../detectors/findings.ts'
import { closed, integer, oneOf } from './schema-parts.ts'

const flag = (fallback: boolean, description?: string) => ({
  type: 'boolean',
  default: fallback,
  ...(description !== undefined && { description }),
})

const KIBIBYTE = 1_024
const limit = (description: string) => ({
  ...integer(KIBIBYTE, 16_777_216, 256 * KIBIBYTE),
  description,
})

export const detectorsSchema = closed({
  secrets: closed({
    request: flag(true),
    response: flag(true),
    entropy: flag(false, 'Find long random-looking runs of characters, too'),
  }),
  pii: closed({
    request: flag(true),
    response: flag(false, 'Tools are asked for personal data all day long'),
    kinds: {
      type: 'array',
      items: oneOf(FINDING_NAMES.pii),
      uniqueItems: true,
      default: FINDING_NAMES.pii.filter((name) => name !== 'email'),
      description: 'Which personal data; nearly every ticket has an e-mail address in it',
    },
  }),
  injection: closed({ request: flag(true), response: flag(true) }),
  requestLimitBytes: limit(
    'Bytes of a request body that are looked at; of JSON and forms beyond it, policy hears',
  ),
  responseLimitBytes: limit('Bytes of an answer that are looked at'),
})
