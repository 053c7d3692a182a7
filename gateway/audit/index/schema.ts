/** Raised whenever the tables change: an index of another version is made anew, for everything in it is in the log. */
export const INDEX_VERSION = 2

/**
 * One row for each call, whatever entries it has; texts once each, in `names`. Entries that are not of a call are `events`,
 * found by what they mention. A position is that of a frame: epoch,
 * segment, byte; `number` is that of the entry in its epoch. Adding an entry twice changes nothing, so two that bring
 * the index up to date at once do each other no harm.
 */
export const SCHEMA = `
CREATE TABLE epochs (
  id INTEGER PRIMARY KEY,
  store TEXT NOT NULL,
  node TEXT NOT NULL,
  epoch TEXT NOT NULL,
  segment INTEGER NOT NULL DEFAULT 1,
  offset INTEGER NOT NULL DEFAULT 0,
  next_number INTEGER NOT NULL DEFAULT 0,
  UNIQUE (store, node, epoch)
);
CREATE TABLE names (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE calls (
  id INTEGER PRIMARY KEY,
  call TEXT NOT NULL UNIQUE,
  time INTEGER NOT NULL,
  agent INTEGER, principal INTEGER, tenant INTEGER, task INTEGER, operation INTEGER,
  decision INTEGER, outcome INTEGER, status INTEGER, risk REAL,
  intent_epoch INTEGER, intent_segment INTEGER, intent_offset INTEGER, intent_number INTEGER,
  end_epoch INTEGER, end_segment INTEGER, end_offset INTEGER, end_number INTEGER
);
CREATE INDEX calls_time ON calls (time);
CREATE INDEX calls_agent ON calls (agent, time);
CREATE INDEX calls_principal ON calls (principal, time);
CREATE INDEX calls_task ON calls (task, time);
CREATE INDEX calls_operation ON calls (operation, time);
CREATE INDEX calls_decision ON calls (decision, time);
CREATE INDEX calls_outcome ON calls (outcome, time);
CREATE TABLE resources (name INTEGER, call INTEGER, PRIMARY KEY (name, call)) WITHOUT ROWID;
CREATE TABLE disclosures (
  call TEXT, epoch INTEGER, segment INTEGER, offset INTEGER,
  PRIMARY KEY (call, epoch, segment, offset)
) WITHOUT ROWID;
CREATE TABLE call_approvals (approval TEXT, call TEXT, PRIMARY KEY (approval, call)) WITHOUT ROWID;
CREATE TABLE call_locks (lock TEXT, call TEXT, PRIMARY KEY (lock, call)) WITHOUT ROWID;
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL, type TEXT NOT NULL,
  epoch INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, number INTEGER NOT NULL,
  UNIQUE (epoch, number)
);
CREATE INDEX events_time ON events (time);
CREATE INDEX events_type ON events (type, time);
CREATE TABLE mentions (role TEXT, name TEXT, event INTEGER, PRIMARY KEY (role, name, event)) WITHOUT ROWID;
CREATE INDEX mentions_event ON mentions (event, role);
`
