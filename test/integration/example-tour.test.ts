import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { startAdminFor } from '../../gateway/cli/run-start.ts'
import { startGateway } from '../../gateway/compose.ts'
import { loadConfig } from '../../gateway/config/load.ts'
import { runTour } from '../../gateway/dev/tour.ts'
import { ANY_PORTS, startWorld } from '../../gateway/dev/world.ts'
import { freePorts } from '../harness/free-ports.ts'
import { captureSurroundings } from '../unit/dev/surroundings.ts'

const DEV_CONFIG = resolve(import.meta.dirname, '../../deploy/dev/toolgate.yaml')

it('goes through the gateway of npm start with every verdict as it has to be', async () => {
  const audit = mkdtempSync(join(tmpdir(), 'toolgate-tour-'))
  try {
    const [port = 0, adminPort = 0] = await freePorts(2)
    const origin = `http://127.0.0.1:${port}`
    const admin = `http://127.0.0.1:${adminPort}`
    await using world = await startWorld({
      ports: ANY_PORTS,
      audience: origin,
      adminAudience: admin,
    })
    const environment = {
      TOOLGATE__LISTEN__PORT: String(port),
      TOOLGATE__LISTEN__ADMIN__PORT: String(adminPort),
      TOOLGATE__LISTEN__EXTERNAL_ORIGINS: JSON.stringify([origin]),
      TOOLGATE__AUDIT__DIRECTORY: audit,
      TOOLGATE__STORE__CONTROL_FILE: join(audit, 'control.db'),
      TOOLGATE__TELEMETRY__LOG_DESTINATION: join(audit, 'log'),
      ...world.environment,
    }
    const config = loadConfig(DEV_CONFIG, { environment })
    await using gateway = await startGateway(config, { environment, worker: 0 })
    const surroundings = captureSurroundings()
    await using _admin = await startAdminFor(gateway, config, { ...surroundings, environment })

    const exit = await runTour(['--gateway', origin, '--admin', admin, '--json'], surroundings)

    expect([surroundings.complained(), exit]).toEqual(['', 0])
    const { review, allowed, answered, refused } = JSON.parse(surroundings.printed()) as {
      review: { findings: unknown[] }
      allowed: unknown[]
      answered: { reason: string }[]
      refused: { call_id: string }[]
    }
    expect([review.findings.length, allowed.length, refused.length]).toEqual([8, 7, 8])
    expect(answered.map(({ reason }) => reason)).toEqual([
      'approval.required',
      'approval.excluded',
      'approval.mismatch',
      'approved',
      '',
      'approval.used',
    ])
    expect(new Set(refused.map((row) => row.call_id)).size).toBe(8)
  } finally {
    rmSync(audit, { recursive: true, force: true })
  }
})
