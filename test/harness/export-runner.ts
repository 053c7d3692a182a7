/** A process that runs the exports of the audit settings that are its argument, for tests that kill it. */
import type { AuditConfig } from '../../gateway/config/audit-config.ts'
import { runExports } from './run-exports.ts'

runExports(JSON.parse(process.argv[2] ?? '') as AuditConfig)
setInterval(() => undefined, 60_000)
