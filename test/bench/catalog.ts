/** What finding an operation and making policy's view of a call cost. `node test/bench/catalog.ts`; ends by itself. */
import findMyWay from 'find-my-way'
import type { ViewInput } from '../../gateway/catalog/view.ts'
import { connectorNamed, loadCommitted } from '../unit/catalog/catalog-harness.ts'
import { printTimeOf } from './measure.ts'

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

const BATCHED = { batch: 10 }

const find = (path: string): boolean => catalog.match(github, 'GET', path).ok
if (!find(PULL) || !find(DEEP) || find(UNKNOWN) || find(REFUSED))
  throw new Error('not the catalogue of this bench')
printTimeOf('find a short path', () => find(PULL), BATCHED)
printTimeOf('find a path with encoded slashes', () => find(DEEP), BATCHED)
printTimeOf('find a path that is not there', () => find(UNKNOWN), BATCHED)
printTimeOf('find a path that is refused', () => find(REFUSED), BATCHED)
printTimeOf('find-my-way, a short path', () => router.find('GET', PULL), BATCHED)

const post = catalog.match(slack, 'POST', '/api/chat.postMessage')
const get = catalog.match(github, 'GET', PULL)
if (!post.ok || !get.ok) throw new Error('the operations of this bench are not in the catalogue')
const message = post.value.operation
const pull = get.value.operation
const text = `channel=C024BE91L&text=${'a'.repeat(200)}&blocks=${encodeURIComponent('[{"type":"divider"}]')}`
const form: ViewInput = { pathParams: {}, query: '', body: { kind: 'form', text }, digest: '' }
const none: ViewInput = {
  pathParams: get.value.pathParams,
  query: 'per_page=100',
  body: { kind: 'none' },
  digest: '',
}
printTimeOf('view of a pull request', () => catalog.view(pull, none), BATCHED)
printTimeOf('view of a message as a form', () => catalog.view(message, form), BATCHED)
