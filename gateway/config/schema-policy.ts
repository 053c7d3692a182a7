import { closed, file, integer, oneOf, optional, text } from './schema-parts.ts'

const verification = {
  ...optional(
    closed({
      keyFile: file('PEM public key, or certificate, that bundles are signed with'),
      algorithm: oneOf(['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256']),
      scope: {
        type: 'string',
        maxLength: 256,
        default: '',
        description: 'Scope that bundles are signed for',
      },
      keyId: text({ maxLength: 256 }),
    }),
  ),
  required: ['keyFile', 'algorithm'],
}

export const policySchema = closed({
  bundle: file('Policy bundle (.tar.gz) made by opa build', '@policies-rego/bundle.tar.gz'),
  watch: { type: 'boolean', default: true },
  timeZone: { type: 'string', format: 'time-zone', default: 'UTC' },
  businessHours: closed({
    days: {
      type: 'array',
      items: { enum: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] },
      uniqueItems: true,
      default: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
    },
    fromHour: integer(0, 23, 8),
    toHour: integer(1, 24, 18),
  }),
  memoryLimitPages: integer(16, 65_536, 4_096),
  verification,
})
