import findMyWay from 'find-my-way'
import { expect, test } from 'vitest'
import type { ViewInput } from '../../gateway/catalog/view.ts'
import { connectorNamed, loadCommitted } from '../unit/catalog/catalog-harness.ts'

const catalog = loadCommitted()
const github = connectorNamed(catalog, 'github')
const slack = connectorNamed(catalog, 'slack')

const router = findMyWay()
for (const { id, method, template } of catalog.operations('github')) {
  const path = template.replaceAll(/\{([^}]+)\}/g, (_all, name: string) => `:${name.replaceAll('-', '_')}`)
  router.on(method as 'GET', path, () => undefined, { id })
}

const PULL = '/repos/zyx/platform-infra/pulls/991'
const DEEP = '/repos/zyx/platform-infra/contents/modules%2Fnetwork%2Fsecurity-groups%2Fmain.tf'
const UNKNOWN = '/repos/zyx/platform-infra/unpublished'
const REFUSED = '/repos/zyx/../platform-infra'

test('finding one of 1,222 operations', async ({ bench }) => {
  const find = (path: string): boolean => catalog.match(github, 'GET', path).ok
  expect([find(PULL), find(DEEP), find(UNKNOWN), find(REFUSED)]).toEqual([true, true, false, false])
  await bench.compare(
    bench('a short path', () => void find(PULL)),
    bench('a path with encoded slashes', () => void find(DEEP)),
    bench('a path that is not there', () => void find(UNKNOWN)),
    bench('a path that is refused', () => void find(REFUSED)),
    bench('find-my-way, a short path', () => void router.find('GET', PULL)),
  )
})

test('what policy sees of a call', async ({ bench }) => {
  const post = catalog.match(slack, 'POST', '/api/chat.postMessage')
  const get = catalog.match(github, 'GET', PULL)
  if (!post.ok || !get.ok) throw new Error('the operations of this bench are not in the catalogue')
  const text = `channel=C024BE91L&text=${'a'.repeat(200)}&blocks=${encodeURIComponent('[{"type":"divider"}]')}`
  const form: ViewInput = { pathParams: {}, query: '', body: { kind: 'form', text }, digest: '' }
  const none: ViewInput = {
    pathParams: get.value.pathParams,
    query: 'per_page=100',
    body: { kind: 'none' },
    digest: '',
  }
  expect(catalog.view(post.value.operation, form).ok).toBe(true)
  await bench.compare(
    bench('a pull request', () => void catalog.view(get.value.operation, none)),
    bench('a message as a form', () => void catalog.view(post.value.operation, form)),
  )
})
