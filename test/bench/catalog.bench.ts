import findMyWay from 'find-my-way'
import { bench, describe } from 'vitest'
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

describe('finding one of 1,222 operations', () => {
  bench('a short path', () => void catalog.match(github, 'GET', PULL))
  bench('a path with encoded slashes', () => void catalog.match(github, 'GET', DEEP))
  bench(
    'a path that is not there',
    () => void catalog.match(github, 'GET', '/repos/zyx/platform-infra/unpublished'),
  )
  bench('a path that is refused', () => void catalog.match(github, 'GET', '/repos/zyx/../platform-infra'))
  bench('find-my-way, a short path', () => void router.find('GET', PULL))
})

describe('what policy sees of a call', () => {
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
  bench('a pull request', () => void catalog.view(get.value.operation, none))
  bench('a message as a form', () => void catalog.view(post.value.operation, form))
})
