import { countLines } from './change-991.ts'
import type { ChangedFile } from './change-991.ts'
import { API_ORIGIN } from './reply.ts'
import { shaOf } from './world.ts'
import type { Comment, Issue, Pull, Release, ReleaseAsset, Repository, Review } from './world.ts'

/** `https://api.github.com/repos/{owner}/{repo}`, the start of most links in bodies. */
export function repositoryUrl(repository: Repository): string {
  return `${API_ORIGIN}/repos/${repository.owner}/${repository.name}`
}

function htmlUrl(repository: Repository): string {
  return `https://github.com/${repository.owner}/${repository.name}`
}

export function userShape(login: string): object {
  return {
    login,
    id: Number.parseInt(shaOf(login).slice(0, 6), 16),
    type: login.endsWith('[bot]') ? 'Bot' : 'User',
    url: `${API_ORIGIN}/users/${encodeURIComponent(login)}`,
    html_url: `https://github.com/${login}`,
    site_admin: false,
  }
}

export function repositoryShape(repository: Repository): object {
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: `${repository.owner}/${repository.name}`,
    private: true,
    owner: { ...userShape(repository.owner), type: 'Organization' },
    description: repository.description,
    html_url: htmlUrl(repository),
    url: repositoryUrl(repository),
    archive_url: `${repositoryUrl(repository)}/{archive_format}{/ref}`,
    default_branch: 'main',
    visibility: 'private',
    archived: false,
    open_issues_count: [...repository.issues.values()].filter((issue) => issue.state === 'open').length,
    permissions: { admin: false, maintain: false, push: true, triage: true, pull: true },
  }
}

export function issueShape(repository: Repository, issue: Issue): object {
  const url = `${repositoryUrl(repository)}/issues/${issue.number}`
  const kind = issue.pull === undefined ? 'issues' : 'pull'
  return {
    id: repository.id * 10_000 + issue.number,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    locked: issue.locked,
    user: userShape(issue.author),
    labels: issue.labels.map((name) => ({ name, color: 'ededed', default: false })),
    comments: [...repository.comments.values()].filter((comment) => comment.issueNumber === issue.number)
      .length,
    created_at: issue.createdAt,
    updated_at: issue.createdAt,
    url,
    comments_url: `${url}/comments`,
    repository_url: repositoryUrl(repository),
    html_url: `${htmlUrl(repository)}/${kind}/${issue.number}`,
    ...(issue.pull === undefined ? {} : { pull_request: { url: pullUrl(repository, issue) } }),
  }
}

export function pullShape(repository: Repository, issue: Issue, pull: Pull): object {
  const counts = pull.files.map((file) => countLines(file.patch))
  const merged = pull.mergedSha !== undefined
  return {
    ...issueShape(repository, issue),
    url: pullUrl(repository, issue),
    diff_url: `${htmlUrl(repository)}/pull/${issue.number}.diff`,
    draft: pull.draft,
    merged,
    mergeable: issue.state === 'open' && !merged,
    merge_commit_sha: pull.mergedSha ?? null,
    head: {
      ref: pull.headRef,
      sha: pull.headSha,
      label: `zyx:${pull.headRef}`,
      repo: repositoryShape(repository),
    },
    base: {
      ref: pull.baseRef,
      sha: repository.branches.get(pull.baseRef),
      label: `zyx:${pull.baseRef}`,
      repo: repositoryShape(repository),
    },
    commits: 1,
    changed_files: pull.files.length,
    additions: counts.reduce((sum, { additions }) => sum + additions, 0),
    deletions: counts.reduce((sum, { deletions }) => sum + deletions, 0),
  }
}

function pullUrl(repository: Repository, issue: Issue): string {
  return `${repositoryUrl(repository)}/pulls/${issue.number}`
}

export function fileShape(repository: Repository, pull: Pull, file: ChangedFile): object {
  const { additions, deletions } = countLines(file.patch)
  return {
    sha: shaOf(file.patch),
    filename: file.filename,
    status: file.status,
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `${htmlUrl(repository)}/blob/${pull.headSha}/${file.filename}`,
    raw_url: `${htmlUrl(repository)}/raw/${pull.headSha}/${file.filename}`,
    contents_url: `${repositoryUrl(repository)}/contents/${file.filename}?ref=${pull.headSha}`,
    patch: file.patch,
  }
}

export function reviewShape(repository: Repository, issue: Issue, review: Review): object {
  return {
    id: review.id,
    user: userShape(review.author),
    body: review.body,
    state: review.state,
    commit_id: review.commitSha,
    pull_request_url: pullUrl(repository, issue),
  }
}

export function commentShape(repository: Repository, comment: Comment): object {
  const url = `${repositoryUrl(repository)}/issues/comments/${comment.id}`
  return {
    id: comment.id,
    url,
    html_url: `${htmlUrl(repository)}/issues/${comment.issueNumber}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(repository)}/issues/${comment.issueNumber}`,
    user: userShape(comment.author),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.createdAt,
  }
}

export function releaseShape(repository: Repository, release: Release): object {
  const url = `${repositoryUrl(repository)}/releases/${release.id}`
  return {
    id: release.id,
    tag_name: release.tag,
    name: release.name,
    draft: false,
    prerelease: false,
    url,
    assets_url: `${url}/assets`,
    upload_url: `https://uploads.github.com/repos/${repository.owner}/${repository.name}/releases/${release.id}/assets{?name,label}`,
    assets: release.assets.map((asset) => assetShape(repository, asset)),
  }
}

export function assetShape(repository: Repository, asset: ReleaseAsset): object {
  return {
    id: asset.id,
    name: asset.name,
    content_type: asset.contentType,
    size: asset.bytes.length,
    state: 'uploaded',
    url: `${repositoryUrl(repository)}/releases/assets/${asset.id}`,
    browser_download_url: `${htmlUrl(repository)}/releases/download/${asset.id}/${asset.name}`,
  }
}
