import { SITE_ORIGIN } from '../../fake-atlassian.ts'
import { AUTHOR_ID } from './world.ts'
import type { ConfluenceAttachment, ConfluenceComment, ConfluencePage, ConfluenceSpace } from './world.ts'

/** What relative links of Confluence start from. */
export const WIKI = `${SITE_ORIGIN}/wiki`

export function spaceShape(space: ConfluenceSpace): object {
  return {
    id: space.id,
    key: space.key,
    name: space.name,
    type: 'global',
    status: 'current',
    authorId: AUTHOR_ID,
    homepageId: space.homepageId,
    createdAt: '2026-03-02T09:00:00.000Z',
    icon: null,
    description: null,
    _links: { webui: `/spaces/${space.key}` },
  }
}

/** A page; its body is there only in the format that was asked for. */
export function pageShape(page: ConfluencePage, bodyFormat: string | null): object {
  return {
    id: page.id,
    status: page.status,
    title: page.title,
    spaceId: page.spaceId,
    parentId: page.parentId,
    parentType: page.parentId === null ? null : 'page',
    position: 0,
    authorId: AUTHOR_ID,
    ownerId: AUTHOR_ID,
    lastOwnerId: null,
    createdAt: page.createdAt,
    version: { ...versionShape(page, page.version) },
    body: bodyShape(page.storage, bodyFormat),
    _links: {
      webui: `/pages/${page.id}`,
      editui: `/pages/resumedraft.action?draftId=${page.id}`,
      tinyui: `/x/${page.id}`,
    },
  }
}

export function versionShape(page: ConfluencePage, number: number): object {
  return { number, message: '', minorEdit: false, authorId: AUTHOR_ID, createdAt: page.createdAt }
}

export function commentShape(comment: ConfluenceComment, bodyFormat: string | null): object {
  return {
    id: comment.id,
    status: 'current',
    title: `Re: ${comment.pageId}`,
    pageId: comment.pageId,
    version: {
      number: 1,
      message: '',
      minorEdit: false,
      authorId: AUTHOR_ID,
      createdAt: '2026-11-16T09:00:00.000Z',
    },
    body: bodyShape(comment.storage, bodyFormat),
    _links: { webui: `/pages/${comment.pageId}?focusedCommentId=${comment.id}` },
  }
}

export function labelShape(name: string): object {
  return { id: `l-${name}`, name, prefix: 'global' }
}

export function attachmentShape(page: ConfluencePage, attachment: ConfluenceAttachment): object {
  const download = `/rest/api/content/${page.id}/child/attachment/${attachment.id}/download`
  return {
    id: attachment.id,
    status: 'current',
    title: attachment.filename,
    pageId: page.id,
    mediaType: attachment.mimeType,
    fileId: attachment.id,
    fileSize: attachment.bytes.length,
    downloadLink: download,
    version: versionShape(page, 1),
    _links: { download },
  }
}

function bodyShape(storage: string, bodyFormat: string | null): object {
  switch (bodyFormat ?? '') {
    case 'storage':
      return { storage: { representation: 'storage', value: storage } }
    case 'view':
      return { view: { representation: 'view', value: storage } }
    default:
      return {}
  }
}
