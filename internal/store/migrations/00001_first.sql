-- One text for SQLite and PostgreSQL. Times are integer milliseconds since 1970, 0 for none. BYTEA is a type name that
-- SQLite takes as it comes; it stores the blobs it is given. A comment that begins with the word sqlite is for SQLite alone:
-- there a table without rowids is one tree, ordered by its key, where one with rowids is two.

CREATE TABLE applications (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    domain     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (tenant, name)
);

-- One row: the keyed hash of a fixed text, which only the key ring that this database is written with can make.
CREATE TABLE ring (
    one  INTEGER PRIMARY KEY,
    hash BYTEA NOT NULL,
    CHECK (one = 1)
);

-- API keys. Only a hash is kept; a key is shown once. One that is of no application may at least change settings.
CREATE TABLE keys (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    application TEXT REFERENCES applications (id),
    admin       INTEGER NOT NULL, -- 1 for a key that may change settings
    hash        BYTEA NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    revoked_at  BIGINT NOT NULL,
    CHECK (application IS NOT NULL OR admin = 1)
);

-- The life of one passcode. Expiry is judged when a row is read: a pending row may be past expires_at.
CREATE TABLE challenges (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    application TEXT NOT NULL,
    scope       TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    channel     TEXT NOT NULL, -- 'caller' where the code is handed over by who asked for it, and nothing is sent
    recipient   TEXT NOT NULL, -- as it is sent to
    identifier  TEXT NOT NULL, -- as it is looked up: with 'key:' before it, which no address has, where nothing is sent
    mailbox     TEXT NOT NULL, -- as limits count it
    state       TEXT NOT NULL,
    newest      INTEGER NOT NULL, -- 1 for the newest of its tenant, scope, purpose and identifier
    code_hash   BYTEA NOT NULL,
    code_sealed BYTEA,
    policy      TEXT NOT NULL,
    tries       INTEGER NOT NULL,
    sends       INTEGER NOT NULL, -- where nothing is sent: how many codes its scope and identifier had so far
    locale      TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    sent_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    CHECK (state IN ('pending', 'verified', 'locked', 'expired', 'cancelled', 'replaced')),
    CHECK ((state = 'pending') = (ended_at = 0)),
    CHECK (state = 'pending' OR code_sealed IS NULL)
) /*sqlite WITHOUT ROWID*/;
CREATE UNIQUE INDEX challenges_newest ON challenges (identifier, purpose, scope, tenant) WHERE newest = 1;
-- How passcodes to numbers convert is counted over the last hours.
CREATE INDEX challenges_sms ON challenges (created_at) WHERE channel = 'sms';
CREATE INDEX challenges_pending ON challenges (expires_at) WHERE state = 'pending';

-- What happened to a challenge beside what its row says: codes that were wrong, and requests that a limit refused.
CREATE TABLE challenge_notes (
    challenge TEXT NOT NULL,
    kind      TEXT NOT NULL,
    n         INTEGER NOT NULL, -- counted within the kind
    at        BIGINT NOT NULL,
    reason    TEXT NOT NULL,
    quota     TEXT NOT NULL, -- which limit, where there are several
    PRIMARY KEY (challenge, kind, n),
    CHECK (kind IN ('tried', 'limited'))
) /*sqlite WITHOUT ROWID*/;

-- One message on its way.
CREATE TABLE deliveries (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    application TEXT NOT NULL,
    challenge   TEXT NOT NULL, -- '' for a code the caller brought
    channel     TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    route       TEXT NOT NULL, -- provider names, in order, with a comma between
    step        INTEGER NOT NULL,
    state       TEXT NOT NULL,
    tries       INTEGER NOT NULL,
    uncertain   INTEGER NOT NULL,
    created_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL, -- queued: the next try; sending: the lease lapses, and no caller waits
    deadline    BIGINT NOT NULL,
    answer_by   BIGINT NOT NULL,
    lease       TEXT NOT NULL,
    dedup       BYTEA,
    provider    TEXT NOT NULL,
    ref         TEXT NOT NULL,
    ended_at    BIGINT NOT NULL,
    message     BYTEA, -- sealed; NULL once no further send is possible
    reported    INTEGER NOT NULL DEFAULT 0, -- 1 when a report came before any acceptance was recorded
    CHECK (state IN ('queued', 'sending', 'accepted', 'delivered', 'bounced', 'failed', 'stale')),
    CHECK ((state IN ('queued', 'sending')) = (ended_at = 0)),
    CHECK ((state IN ('queued', 'sending')) = (message IS NOT NULL)),
    CHECK (state <> 'queued' OR lease = '')
) /*sqlite WITHOUT ROWID*/;
-- With state in it, those being sent are found without a look at the rows, which hold messages.
CREATE INDEX deliveries_due ON deliveries (due_at, state, channel) WHERE state IN ('queued', 'sending') AND channel <> 'event';
-- Events for customers wait apart, so that a customer's dead server holds up nobody's code.
CREATE INDEX deliveries_events ON deliveries (due_at, state) WHERE state IN ('queued', 'sending') AND channel = 'event';
CREATE INDEX deliveries_challenge ON deliveries (challenge) WHERE challenge <> '';
CREATE UNIQUE INDEX deliveries_dedup ON deliveries (dedup) WHERE dedup IS NOT NULL;

-- Every try of a delivery at a provider.
CREATE TABLE attempts (
    delivery TEXT NOT NULL,
    n        INTEGER NOT NULL,
    provider TEXT NOT NULL,
    at       BIGINT NOT NULL,
    took     BIGINT NOT NULL,
    class    TEXT NOT NULL, -- '' when the provider accepted
    code     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    ref      TEXT NOT NULL,
    PRIMARY KEY (delivery, n)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX attempts_ref ON attempts (provider, ref) WHERE ref <> '';

-- What providers reported later. A report whose delivery is not known may come before the acceptance is recorded.
CREATE TABLE receipts (
    provider    TEXT NOT NULL,
    event       TEXT NOT NULL, -- the provider's id of the report
    delivery    TEXT NOT NULL, -- '' while it is not known
    ref         TEXT NOT NULL,
    report      TEXT NOT NULL,
    class       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    code        TEXT NOT NULL,
    detail      TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, event),
    CHECK (report IN ('delivered', 'bounced', 'delayed', 'complained'))
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX receipts_delivery ON receipts (delivery) WHERE delivery <> '';
CREATE INDEX receipts_ref ON receipts (provider, ref) WHERE delivery = '';
CREATE INDEX receipts_received ON receipts (received_at) WHERE delivery = '';

-- Recipients that are not sent to, because a provider reported why.
CREATE TABLE suppressions (
    tenant    TEXT NOT NULL,
    channel   TEXT NOT NULL,
    recipient TEXT NOT NULL, -- as challenges look up
    reason    TEXT NOT NULL,
    provider  TEXT NOT NULL,
    at        BIGINT NOT NULL,
    until     BIGINT NOT NULL, -- 0 for one that somebody has to remove
    PRIMARY KEY (tenant, channel, recipient)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX suppressions_until ON suppressions (until) WHERE until <> 0;

-- What was spent of each limit in its window. quota repeats the limit, so that one statement can take several, and
-- mark tells a spender afterwards which of them it took.
CREATE TABLE limits (
    key       BYTEA PRIMARY KEY,
    used      BIGINT NOT NULL,
    quota     BIGINT NOT NULL,
    resets_at BIGINT NOT NULL,
    mark      BIGINT NOT NULL,
    CHECK (used <= quota)
) /*sqlite WITHOUT ROWID*/;

CREATE TABLE idempotency (
    application TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    challenge   TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (application, key)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- The built-in inbox of the demo. message is sealed.
CREATE TABLE inbox (
    id          TEXT PRIMARY KEY,
    recipient   TEXT NOT NULL,
    challenge   TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    message     BYTEA NOT NULL
);
CREATE INDEX inbox_received ON inbox (received_at);

-- Settings that change while otpost runs. A body can hold credentials and is sealed.
CREATE TABLE documents (
    tenant     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    body       BYTEA NOT NULL,
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, name)
) /*sqlite WITHOUT ROWID*/;

-- A row of a tenant counts the changes of its documents.
CREATE TABLE document_revisions (
    tenant   TEXT PRIMARY KEY,
    revision BIGINT NOT NULL
) /*sqlite WITHOUT ROWID*/;

-- What documents were until they were replaced or deleted. Versions of a document only grow.
CREATE TABLE document_history (
    tenant      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    body        BYTEA NOT NULL,
    version     BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    replaced_by TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, name, version)
);
CREATE INDEX document_history_replaced ON document_history (replaced_at);

-- Providers that are down, and until when they are left alone.
CREATE TABLE breakers (
    provider   TEXT PRIMARY KEY,
    open_until BIGINT NOT NULL
) /*sqlite WITHOUT ROWID*/;

-- TOTP devices. A pending one that was not confirmed in time counts as revoked when it is read.
CREATE TABLE authenticators (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    application  TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    slot         INTEGER NOT NULL, -- one of as many as a user may have, 0 once it is revoked
    state        TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    label        TEXT NOT NULL,
    algorithm    TEXT NOT NULL,
    digits       INTEGER NOT NULL,
    period       INTEGER NOT NULL, -- seconds
    secret       BYTEA, -- sealed
    last_step    BIGINT NOT NULL, -- the newest time step of which a code was taken
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL,
    CHECK (state IN ('pending', 'confirmed', 'revoked')),
    CHECK (state <> 'pending' OR confirmed_at = 0),
    CHECK (state <> 'confirmed' OR confirmed_at <> 0),
    CHECK ((state = 'revoked') = (revoked_at <> 0)),
    CHECK ((state = 'revoked') = (slot = 0)),
    CHECK ((state = 'revoked') = (secret IS NULL))
) /*sqlite WITHOUT ROWID*/;
CREATE UNIQUE INDEX authenticators_user ON authenticators (user_id, tenant, slot) WHERE slot > 0;
CREATE INDEX authenticators_pending ON authenticators (created_at) WHERE state = 'pending';
CREATE INDEX authenticators_revoked ON authenticators (revoked_at) WHERE state = 'revoked';
