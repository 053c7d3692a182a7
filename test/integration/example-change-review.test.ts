import { describe, expect, it } from 'vitest'
import { startConfluenceFake } from '../../connectors/confluence/fake.ts'
import { startGithubFake } from '../../connectors/github/fake.ts'
import { startJiraFake } from '../../connectors/jira/fake.ts'
import { startSlackFake } from '../../connectors/slack/fake.ts'
import { createClients } from '../../deploy/examples/change-review/clients.ts'
import { EXAMPLE_REQUEST, reviewChange } from '../../deploy/examples/change-review/review.ts'

const token = 'of-the-vendor'

describe('the change review', () => {
  it('finds what is wrong with pull request 991 and tells the ticket and the channel', async () => {
    await using github = await startGithubFake({ token })
    await using jira = await startJiraFake({ token })
    await using confluence = await startConfluenceFake({ token })
    await using slack = await startSlackFake({ token })
    const clients = createClients(
      {
        github: github.origin,
        jira: jira.origin,
        confluence: confluence.origin,
        slack: `${slack.origin}/api/`,
      },
      { github: token, slack: token, atlassian: { email: 'toolgate@zyx.example', apiToken: token } },
    )

    const review = await reviewChange(clients, EXAMPLE_REQUEST)

    expect(review.verdict).toBe('changes requested')
    expect(review.findings.map(({ check, file, line, severity }) => [check, file, line, severity])).toEqual([
      ['s3-public-access', 'terraform/log-archive/s3.tf', 12, 'high'],
      ['s3-public-access', 'terraform/log-archive/s3.tf', 13, 'high'],
      ['s3-public-access', 'terraform/log-archive/s3.tf', 15, 'high'],
      ['iam-wildcard', 'terraform/iam/migration-role.tf', 10, 'high'],
      ['iam-wildcard', 'terraform/iam/migration-role.tf', 11, 'high'],
      ['open-admin-port', 'terraform/network/bastion.tf', 20, 'high'],
      ['log-retention', 'terraform/observability/cloudwatch.tf', 5, 'medium'],
      ['rollback-plan', '', 0, 'medium'],
    ])
    expect(review.standards.map(({ id }) => id)).toEqual([
      'SEC-STD-01',
      'SEC-STD-02',
      'SEC-STD-03',
      'SEC-STD-04',
      'SEC-STD-05',
    ])

    const [comment] = jira.world.issues.get('CHG-18422')?.comments ?? []
    expect(comment?.id).toBe(review.posted.jiraComment)
    expect(JSON.stringify(comment?.body)).toContain('SEC-STD-03 Administrative access, version 1')
    const [message] = slack.world.channels.get('C0CHANGEREV')?.messages ?? []
    expect(message).toMatchObject({ ts: review.posted.slackMessage })
    expect(message?.text).toContain(
      '*CHG-18422* zyx/platform-infra#991: changes requested (6 high, 2 medium)',
    )
  })

  it('posts nothing when it cannot read the standards', async () => {
    await using github = await startGithubFake({ token })
    await using jira = await startJiraFake({ token })
    await using confluence = await startConfluenceFake({ token })
    await using slack = await startSlackFake({ token })
    const clients = createClients(
      {
        github: github.origin,
        jira: jira.origin,
        confluence: confluence.origin,
        slack: `${slack.origin}/api/`,
      },
      { github: token, slack: token, atlassian: { email: 'toolgate@zyx.example', apiToken: token } },
    )
    await expect(reviewChange(clients, { ...EXAMPLE_REQUEST, standardsSpace: 'NONE' })).rejects.toThrow(
      'there is no space NONE',
    )
    expect(jira.requests.filter(({ method }) => method === 'POST')).toEqual([])
    expect(slack.requests).toEqual([])
  })
})
