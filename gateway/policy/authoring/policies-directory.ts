import { resolve } from 'node:path'

/** The policies that come with the gateway. */
export const POLICIES_DIRECTORY = resolve(import.meta.dirname, '../../../policies-rego')
