export const CONNECTORS = ['github', 'jira', 'confluence', 'slack'] as const
export type ConnectorName = (typeof CONNECTORS)[number]

export interface Call {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const json = { 'content-type': 'application/json' }

export const READS: Readonly<Record<ConnectorName, Call>> = {
  github: { method: 'GET', target: '/github/repos/zyx/platform-infra/pulls/991', headers: {} },
  jira: { method: 'GET', target: '/jira/rest/api/3/issue/CHG-18422', headers: {} },
  confluence: { method: 'GET', target: '/confluence/wiki/api/v2/pages/12345', headers: {} },
  slack: {
    method: 'POST',
    target: '/slack/api/conversations.info',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'channel=C1',
  },
}

export const WRITES: Readonly<Record<ConnectorName, Call>> = {
  github: {
    method: 'POST',
    target: '/github/repos/zyx/platform-infra/issues/991/comments',
    headers: json,
    body: '{"body":"done"}',
  },
  jira: {
    method: 'POST',
    target: '/jira/rest/api/3/issue/CHG-18422/comment',
    headers: json,
    body: '{"body":{"type":"doc","version":1,"content":[]}}',
  },
  confluence: {
    method: 'POST',
    target: '/confluence/wiki/api/v2/footer-comments',
    headers: json,
    body: '{"pageId":"12345"}',
  },
  slack: {
    method: 'POST',
    target: '/slack/api/chat.postMessage',
    headers: json,
    body: '{"channel":"C1","text":"done"}',
  },
}
