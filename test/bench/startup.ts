/**
 * How long `toolgate start` takes until it is ready, with all four connectors, and how much of that is loading the
 * program and reading the catalogues. `node test/bench/startup.ts`; ends by itself.
 */
import { spawnSync } from 'node:child_process'
import { startToolgate } from './compare/toolgate.ts'
import { createWorld } from './compare/world.ts'
import { isShort, quantile } from './measure.ts'

const STARTS = isShort ? 1 : 10

await using world = await createWorld()
const startsMs: number[] = []
for (let count = 0; count < STARTS; count++) {
  await using gateway = await startToolgate(
    { binding: 'dpop', store: 'embedded', access: 'read', durability: 'flushed', workers: 1 },
    world,
  )
  startsMs.push(gateway.startMs)
}
print('ready', startsMs)
print(
  'node alone',
  Array.from({ length: STARTS }, () => timeOf('')),
)
const program = new URL('../../gateway/compose.ts', import.meta.url).href
print(
  'node and the program',
  Array.from({ length: STARTS }, () => timeOf(`await import('${program}')`)),
)

function timeOf(script: string): number {
  const startedMs = performance.now()
  spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: 'inherit',
    timeout: 30_000,
  })
  return performance.now() - startedMs
}

function print(name: string, samplesMs: number[]): void {
  const least = quantile(samplesMs, 0).toFixed(0)
  console.log(
    `${name.padEnd(24)} least ${least.padStart(5)} ms   median ${quantile(samplesMs, 0.5).toFixed(0).padStart(5)} ms`,
  )
}
