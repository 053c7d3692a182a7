import type { Clock } from '../lib/clock.ts'
import type { ChannelStore } from './channel-store.ts'
import type { ControlFile } from './control-file.ts'

export interface EmbeddedChannelStoreOptions {
  readonly file: ControlFile
  readonly clock: Pick<Clock, 'nowMs'>
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS channel_claims (key TEXT PRIMARY KEY, ends_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS channel_claims_ends ON channel_claims (ends_ms);
  CREATE TABLE IF NOT EXISTS channel_notes (
    key TEXT NOT NULL, value TEXT NOT NULL, ends_ms INTEGER NOT NULL, PRIMARY KEY (key, value)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS channel_notes_ends ON channel_notes (ends_ms)`

/** Of one machine, in its control file. */
export function createEmbeddedChannelStore({ file, clock }: EmbeddedChannelStoreOptions): ChannelStore {
  const { database } = file
  file.transact(() => database.exec(SCHEMA))
  const forgetClaims = database.prepare('DELETE FROM channel_claims WHERE ends_ms <= ?')
  const claim = database.prepare('INSERT OR IGNORE INTO channel_claims (key, ends_ms) VALUES (?, ?)')
  const release = database.prepare('DELETE FROM channel_claims WHERE key = ?')
  const forgetNotes = database.prepare('DELETE FROM channel_notes WHERE ends_ms <= ?')
  const note = database.prepare('INSERT OR IGNORE INTO channel_notes (key, value, ends_ms) VALUES (?, ?, 0)')
  const keepNotes = database.prepare('UPDATE channel_notes SET ends_ms = ? WHERE key = ?')
  const recall = database.prepare('SELECT value FROM channel_notes WHERE key = ? AND ends_ms > ?')
  return {
    async claim(key, lifetimeMs) {
      const nowMs = clock.nowMs()
      return file.transact(() => {
        forgetClaims.run(nowMs)
        return claim.run(key, nowMs + lifetimeMs).changes === 1
      })
    },
    async release(key) {
      file.transact(() => release.run(key))
    },
    async remember(key, value, lifetimeMs) {
      const nowMs = clock.nowMs()
      file.transact(() => {
        forgetNotes.run(nowMs)
        note.run(key, value)
        keepNotes.run(nowMs + lifetimeMs, key)
      })
    },
    async recall(key) {
      return recall.all(key, clock.nowMs()).map(({ value }) => String(value))
    },
  }
}
