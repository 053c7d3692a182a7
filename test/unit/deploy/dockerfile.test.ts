import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mountsOf, readComposeFile, REPOSITORY, serviceOf } from '../../harness/compose-file.ts'
import { readDockerfile } from '../../harness/dockerfile.ts'

const targets = await readDockerfile('deploy/Dockerfile')
const ignored = new Set(readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8').split('\n').filter(Boolean))
const NONROOT = '65532:65532'

describe.each([...targets])('the image %s', (_, target) => {
  it('copies what exists and what the build is sent', () => {
    const sources = target.copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources)
    expect(sources.filter((source) => !existsSync(join(REPOSITORY, source)))).toEqual([])
    expect(sources.filter((source) => ignored.has(source.split('/')[0] ?? ''))).toEqual([])
  })

  it('begins from a version of Node that the program runs on', () => {
    expect(target.from).toMatch(/node(js)?:?24/)
  })
})

describe('the image gateway', () => {
  const gateway = targets.get('gateway')

  it('runs without root, a shell or development dependencies', () => {
    expect(gateway?.from).toMatch(/^gcr\.io\/distroless\/.+:nonroot$/)
    expect(gateway?.runs).toEqual([])
    expect(targets.get('production')?.runs.join()).toContain('--omit=dev --ignore-scripts')
  })

  it('owns the folders that volumes are mounted on: a new volume takes their owner', () => {
    const compose = readComposeFile()
    const volumes = mountsOf(compose, serviceOf(compose, 'gateway')).filter(({ isBind }) => !isBind)
    expect(volumes.length).toBeGreaterThan(0)
    for (const { target } of volumes)
      expect(gateway?.copies.find((copy) => copy.target === target)?.owner).toBe(NONROOT)
  })

  it('receives SIGTERM itself', () => {
    expect(gateway?.entrypoint).toEqual(['/nodejs/bin/node', '/app/gateway/main.ts'])
  })
})

it('the image newcomer runs as somebody who is not root', () => {
  expect(targets.get('newcomer')?.user).toBe('node')
})
