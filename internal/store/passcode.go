package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

var _ passcode.Store = (*DB)(nil)

// Issue implements passcode.Store.
func (db *DB) Issue(ctx context.Context, i passcode.Issuance) error {
	sealed, err := db.sealMessage(&i.Delivery)
	if err != nil {
		return err
	}
	return db.whole(ctx, func(t *tx) error {
		if err := t.repeated(i.Idempotency); err != nil {
			return err
		}
		c := &i.Challenge
		if err := t.mayReach(c.Tenant, c.Channel, c.Identifier, i.Now); err != nil {
			return err
		}
		// Alone, a refusal comes before there is anything to undo. Among others limits come last: rows that many want
		// are held for the shortest time, everybody takes a challenge before its person's limits, and a lock-out is
		// asked for when nobody can be about to lock the challenge that this one replaces.
		if t.near() {
			if err := t.spend(i.Spends, i.Now); err != nil {
				return err
			}
		}
		if err := t.insertNewest(&i.Challenge, i.Now); err != nil {
			return err
		}
		if err := t.insertDelivery(&i.Delivery, sealed); err != nil {
			return err
		}
		if err := db.tell(t, happened(&i.Challenge, outbox.PasscodeIssued, i.Now)); err != nil {
			return err
		}
		faultpoint.Here("issue.before_commit")
		if err := t.keepKey(i.Idempotency, i.Challenge.ID); err != nil || t.near() {
			return err
		}
		return t.spend(i.Spends, i.Now)
	})
}

// repeated returns *passcode.Repeated when the key was used before.
func (t *tx) repeated(key *passcode.Idempotency) error {
	if key == nil || t.whole() { // keepKey finds it
		return nil
	}
	var r passcode.Repeated
	found, err := t.one(`SELECT challenge, fingerprint FROM idempotency WHERE application = $1 AND key = $2`,
		[]any{key.Application, key.Key}, &r.Challenge, &r.Fingerprint)
	if err != nil {
		return fmt.Errorf("look for idempotency key: %w", err)
	}
	if found {
		return &r
	}
	return nil
}

func (t *tx) keepKey(key *passcode.Idempotency, challenge string) error {
	if key == nil {
		return nil
	}
	// The same key at the same time loses a race, is run again, and found.
	err := t.do(`INSERT INTO idempotency (application, key, fingerprint, challenge, expires_at)
		VALUES ($1, $2, $3, $4, $5)`,
		key.Application, key.Key, key.Fingerprint, challenge, millis(key.ExpiresAt))
	if err != nil {
		return fmt.Errorf("keep idempotency key: %w", err)
	}
	return nil
}

// insertNewest writes a challenge and ends the one whose place it takes, if there is one: seldom. Where an answer costs
// a round trip both statements go together; where it costs nothing, the first shows whether the other is needed.
func (t *tx) insertNewest(c *passcode.Challenge, now time.Time) error {
	args, err := challengeArgs(c)
	if err != nil {
		return err
	}
	if t.near() {
		n, err := t.exec(insertChallenge+` ON CONFLICT (identifier, purpose, scope, tenant) WHERE newest = 1 DO NOTHING`, args...)
		if err != nil {
			return fmt.Errorf("write challenge: %w", err)
		}
		if n == 1 {
			return nil
		}
	}
	err = t.do(`UPDATE challenges SET newest = 0, code_sealed = NULL,
			ended_at = CASE WHEN state = 'pending' THEN $1 ELSE ended_at END,
			state = CASE WHEN state <> 'pending' THEN state WHEN expires_at <= $1 THEN 'expired' ELSE 'replaced' END
		WHERE identifier = $2 AND purpose = $3 AND scope = $4 AND tenant = $5 AND newest = 1`,
		now.UnixMilli(), c.Identifier, string(c.Purpose), c.Scope, c.Tenant)
	if err != nil {
		return fmt.Errorf("replace challenge: %w", err)
	}
	if err := t.do(insertChallenge, args...); err != nil {
		return fmt.Errorf("write challenge: %w", err)
	}
	return nil
}

// insertChallenge writes a challenge at the beginning of its life.
const insertChallenge = `INSERT INTO challenges (id, tenant, application, scope, purpose, channel, recipient, identifier,
		mailbox, code_hash, code_sealed, policy, sends, locale, metadata, created_at, sent_at, expires_at,
		state, newest, tries, ended_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 'pending', 1, 0, 0)`

func challengeArgs(c *passcode.Challenge) ([]any, error) {
	metadata := ""
	if len(c.Metadata) > 0 {
		raw, err := json.Marshal(c.Metadata)
		if err != nil {
			return nil, fmt.Errorf("write metadata: %w", err)
		}
		metadata = string(raw)
	}
	return []any{c.ID, c.Tenant, c.Application, c.Scope, string(c.Purpose), string(c.Channel), c.To, c.Identifier,
		c.Mailbox, c.CodeHash, c.CodeSealed, c.Policy.String(), c.Sends, c.Locale, metadata,
		millis(c.CreatedAt), millis(c.SentAt), millis(c.ExpiresAt)}, nil
}

// Update implements passcode.Store.
func (db *DB) Update(ctx context.Context, ref passcode.Ref, now time.Time,
	change func(*passcode.Challenge, passcode.Turn) error) error {
	return db.transact(ctx, func(t *tx) error {
		c, err := t.challenge(ref, t.lock())
		if err != nil {
			return err
		}
		before := c
		if err := change(&c, turn{db: db, t: t, challenge: c.ID, now: now}); err != nil {
			return err
		}
		if err := t.updateChallenge(&before, &c); err != nil || c.State == before.State {
			return err
		}
		switch c.State {
		case passcode.Verified:
			return db.tell(t, happened(&c, outbox.PasscodeVerified, now))
		case passcode.Locked:
			return db.tell(t, happened(&c, outbox.PasscodeLocked, now))
		}
		return nil
	})
}

// Generate implements passcode.Store.
func (db *DB) Generate(ctx context.Context, ref passcode.Ref, now time.Time,
	change func(*passcode.Challenge, passcode.Turn) (*passcode.Challenge, error)) error {
	return db.transact(ctx, func(t *tx) error {
		c, err := t.challenge(ref, t.lock())
		newest := &c
		if errors.Is(err, passcode.ErrNoChallenge) {
			newest = nil
		} else if err != nil {
			return err
		}
		before := c
		next, err := change(newest, turn{db: db, t: t, challenge: c.ID, now: now})
		if err != nil {
			return err
		}
		if newest != nil {
			if err := t.updateChallenge(&before, newest); err != nil {
				return err
			}
		}
		if next != nil {
			if err := t.insertNext(newest, next); err != nil {
				return err
			}
			if err := db.tell(t, happened(next, outbox.PasscodeIssued, now)); err != nil {
				return err
			}
		}
		faultpoint.Here("generate.before_commit")
		return nil
	})
}

// insertNext writes a challenge in the place of the one that was locked, nil where there was none. Another may have
// written its first one since it was looked for: that one is not replaced unseen, as insertNewest would do. The index of
// the newest refuses a second, and the transaction that lost is run again.
func (t *tx) insertNext(newest, next *passcode.Challenge) error {
	args, err := challengeArgs(next)
	if err != nil {
		return err
	}
	if newest != nil {
		if err := t.do(`UPDATE challenges SET newest = 0 WHERE id = $1`, newest.ID); err != nil {
			return fmt.Errorf("replace challenge: %w", err)
		}
	}
	if err := t.do(insertChallenge, args...); err != nil {
		return fmt.Errorf("write challenge: %w", err)
	}
	return nil
}

// updateChallenge writes what can change in a challenge.
func (t *tx) updateChallenge(before, c *passcode.Challenge) error {
	if c.State == before.State && c.Tries == before.Tries && c.Sends == before.Sends &&
		c.ExpiresAt.Equal(before.ExpiresAt) && len(c.CodeSealed) == len(before.CodeSealed) {
		return nil
	}
	err := t.do(`UPDATE challenges SET state = $2, code_hash = $3, code_sealed = $4, tries = $5, sends = $6,
			sent_at = $7, expires_at = $8, ended_at = $9 WHERE id = $1`,
		c.ID, string(c.State), c.CodeHash, c.CodeSealed, c.Tries, c.Sends,
		millis(c.SentAt), millis(c.ExpiresAt), millis(c.EndedAt))
	if err != nil {
		return fmt.Errorf("update challenge: %w", err)
	}
	return nil
}

// turn implements passcode.Turn.
type turn struct {
	db        *DB
	t         *tx
	challenge string
	now       time.Time
}

// Reach implements passcode.Turn.
func (u turn) Reach(c *passcode.Challenge) error {
	return u.t.mayReach(c.Tenant, c.Channel, c.Identifier, u.now)
}

func (u turn) Spend(spends ...passcode.Spend) error { return u.t.spend(spends, u.now) }

// Guess implements passcode.Turn.
func (u turn) Guess(right bool, spends ...passcode.Spend) error {
	if right && u.t.near() {
		return u.t.ask(spends, u.now) // one writes at a time, so nobody can take a unit meanwhile
	}
	if err := u.t.spend(spends, u.now); err != nil || !right {
		return err
	}
	return u.t.refund(spends)
}

// Note implements passcode.Turn.
func (u turn) Note(c *passcode.Challenge, n passcode.Note) error {
	var err error
	if n.Kind == passcode.Tried {
		err = u.t.do(`INSERT INTO challenge_notes (challenge, kind, n, at, reason, quota) VALUES ($1, $2, $3, $4, $5, $6)`,
			c.ID, string(n.Kind), c.Tries, n.At.UnixMilli(), string(n.Reason), n.Limit)
	} else {
		// The challenge's row is locked, so nobody else counts meanwhile.
		err = u.t.do(`INSERT INTO challenge_notes (challenge, kind, n, at, reason, quota)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COUNT(*) + 1, CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT)
			FROM challenge_notes WHERE challenge = $1 AND kind = $2 HAVING COUNT(*) < $6`,
			c.ID, string(n.Kind), n.At.UnixMilli(), string(n.Reason), n.Limit, maxNotes)
	}
	if err != nil {
		return fmt.Errorf("write note: %w", err)
	}
	return nil
}

// maxNotes bounds the refusals that are kept of one challenge, so that who asks again and again does not fill a disk.
const maxNotes = 32

func (u turn) Send(d outbox.Delivery) error {
	if err := u.t.endQueued(u.challenge, u.now); err != nil {
		return err
	}
	sealed, err := u.db.sealMessage(&d)
	if err != nil {
		return err
	}
	return u.t.insertDelivery(&d, sealed)
}

// endQueued ends the deliveries of a challenge that nobody is sending.
func (t *tx) endQueued(challenge string, now time.Time) error {
	err := t.do(`UPDATE deliveries SET state = 'stale', ended_at = $2, message = NULL
		WHERE challenge = $1 AND challenge <> '' AND state = 'queued'`, challenge, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("end older deliveries: %w", err)
	}
	return nil
}

// Timeline implements passcode.Store.
func (db *DB) Timeline(ctx context.Context, ref passcode.Ref) (line passcode.Timeline, err error) {
	err = db.read(ctx, func(t *tx) error {
		line = passcode.Timeline{}
		if line.Challenge, err = t.challenge(ref, ""); err != nil {
			return err
		}
		err = t.query(ctx, `SELECT `+deliveryColumns+` FROM deliveries
			WHERE challenge = $1 AND challenge <> '' ORDER BY id`, // as the index says, or SQLite does not take it
			[]any{line.Challenge.ID}, func(scan func(...any) error) error {
				d, err := scanDelivery(scan)
				line.Deliveries = append(line.Deliveries, d)
				return err
			})
		if err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		for _, d := range line.Deliveries {
			attempts, err := t.attempts(d.ID)
			if err != nil {
				return err
			}
			line.Attempts = append(line.Attempts, attempts...)
			reports, err := t.reports(d.ID)
			if err != nil {
				return err
			}
			line.Reports = append(line.Reports, reports...)
		}
		line.Notes, err = t.notes(line.Challenge.ID)
		return err
	})
	return line, err
}

func (t *tx) notes(challenge string) (notes []passcode.Note, err error) {
	err = t.query(t.ctx, `SELECT kind, at, reason, quota FROM challenge_notes WHERE challenge = $1 ORDER BY at, kind DESC, n`,
		[]any{challenge}, func(scan func(...any) error) error {
			var n passcode.Note
			var at int64
			err := scan((*string)(&n.Kind), &at, (*string)(&n.Reason), &n.Limit)
			n.At = fromMillis(at)
			notes = append(notes, n)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	return notes, nil
}

const challengeColumns = `id, tenant, application, scope, purpose, channel, recipient, identifier, mailbox, state,
	code_hash, code_sealed, policy, tries, sends, locale, metadata, created_at, sent_at, expires_at, ended_at`

// challenge reads the challenge that ref means; lock is the backend's locking clause or nothing.
func (t *tx) challenge(ref passcode.Ref, lock string) (c passcode.Challenge, err error) {
	where, args := ` FROM challenges WHERE id = $1 AND tenant = $2`, []any{ref.ID, ref.Tenant}
	if ref.ID == "" {
		where = ` FROM challenges WHERE identifier = $1 AND purpose = $2 AND scope = $3 AND tenant = $4 AND newest = 1`
		args = []any{ref.To, string(ref.Purpose), ref.Scope, ref.Tenant}
	}
	found := false
	err = t.query(t.ctx, `SELECT `+challengeColumns+where+lock, args, func(scan func(...any) error) error {
		found = true
		c, err = scanChallenge(scan)
		return err
	})
	switch {
	case err != nil, found:
		return c, err
	case lock != "" && ref.ID == "":
		// A row that was the newest when the statement began and not when its lock was had is no answer: there is one
		// that took its place.
		if _, err := t.challenge(ref, ""); !errors.Is(err, passcode.ErrNoChallenge) {
			return c, cmp.Or(err, errRace)
		}
	}
	return c, passcode.ErrNoChallenge
}

// scanChallenge reads challengeColumns.
func scanChallenge(scan func(...any) error) (c passcode.Challenge, err error) {
	var purpose, channel, state, policy, metadata string
	var created, sent, expires, ended int64
	err = scan(&c.ID, &c.Tenant, &c.Application, &c.Scope, &purpose, &channel, &c.To, &c.Identifier, &c.Mailbox, &state,
		&c.CodeHash, &c.CodeSealed, &policy, &c.Tries, &c.Sends, &c.Locale, &metadata, &created, &sent, &expires, &ended)
	if err != nil {
		return c, fmt.Errorf("read challenge: %w", err)
	}
	c.Purpose, c.Channel, c.State = passcode.Purpose(purpose), outbox.Channel(channel), passcode.State(state)
	c.CreatedAt, c.SentAt, c.ExpiresAt, c.EndedAt = fromMillis(created), fromMillis(sent), fromMillis(expires), fromMillis(ended)
	if c.Policy, err = passcode.ParsePolicy(policy); err == nil && metadata != "" {
		err = json.Unmarshal([]byte(metadata), &c.Metadata)
	}
	if err != nil {
		return c, fmt.Errorf("read challenge %s: %w", c.ID, err)
	}
	return c, nil
}
