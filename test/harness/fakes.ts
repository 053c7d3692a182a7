import { type ConfluenceFake, startConfluenceFake } from '../../connectors/confluence/fake.ts'
import { type GithubFake, startGithubFake } from '../../connectors/github/fake.ts'
import { type JiraFake, startJiraFake } from '../../connectors/jira/fake.ts'
import { type SlackFake, startSlackFake } from '../../connectors/slack/fake.ts'

export interface Fakes extends AsyncDisposable {
  readonly github: GithubFake
  readonly jira: JiraFake
  readonly confluence: ConfluenceFake
  readonly slack: SlackFake
  /** The credentials that the stand-ins demand, as variables for the gateway. */
  readonly environment: Readonly<Record<Uppercase<FakeName>, string>>
}

export type FakeName = 'github' | 'jira' | 'confluence' | 'slack'

/** All four vendors on free loopback ports. */
export async function startFakes(): Promise<Fakes> {
  const environment = {
    GITHUB: 'upstream-secret-github',
    JIRA: 'upstream-secret-jira',
    CONFLUENCE: 'upstream-secret-confluence',
    SLACK: 'upstream-secret-slack',
  }
  const stack = new AsyncDisposableStack()
  const github = stack.use(await startGithubFake({ token: environment.GITHUB }))
  const jira = stack.use(await startJiraFake({ token: environment.JIRA }))
  const confluence = stack.use(await startConfluenceFake({ token: environment.CONFLUENCE }))
  const slack = stack.use(await startSlackFake({ token: environment.SLACK }))
  return { github, jira, confluence, slack, environment, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
