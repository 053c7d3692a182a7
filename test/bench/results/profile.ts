import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { round } from './figures.ts'

/** A function by the share of processor time that was spent in itself. */
export interface HotFunction {
  readonly name: string
  /** File and line, shortened; empty for what is no JavaScript. */
  readonly place: string
  readonly percent: number
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const IDLE = new Set(['(idle)', '(root)'])

/** The hottest functions of the largest profile in a folder, by self time, idle time left out. */
export function hottestIn(directory: string, count: number): HotFunction[] {
  const texts = readdirSync(directory)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .sort((one, other) => other.length - one.length)
  const profile = JSON.parse(texts[0] ?? '{"nodes":[],"samples":[],"timeDeltas":[]}') as Profile
  const nodes = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const selfUs = new Map<string, number>()
  let totalUs = 0
  for (const [index, id] of profile.samples.entries()) {
    const frame = nodes.get(id)
    if (frame === undefined || IDLE.has(frame.functionName)) continue
    const key = `${frame.functionName === '' ? '(anonymous)' : frame.functionName}\t${placeOf(frame)}`
    const us = profile.timeDeltas[index] ?? 0
    selfUs.set(key, (selfUs.get(key) ?? 0) + us)
    totalUs += us
  }
  return [...selfUs]
    .sort(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([key, us]) => {
      const [name = '', place = ''] = key.split('\t')
      return { name, place, percent: round((us / totalUs) * 100, 1) }
    })
}

function placeOf({ url, lineNumber }: { readonly url: string; readonly lineNumber: number }): string {
  if (url === '') return ''
  const short = url.replace(/^.*\/(?=(gateway|node_modules)\/)/, '')
  return `${short}:${String(lineNumber + 1)}`
}
