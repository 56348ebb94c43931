package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// Try implements passcode.Store. Over a network the round trips of Update are most of what it costs; SQLite has none,
// and leaves every try to Update.
func (db *DB) Try(ctx context.Context, ref passcode.Ref, now time.Time, try func() (passcode.Try, error)) (c passcode.Challenge, done bool, err error) {
	if !db.far() || db.publishes(outbox.PasscodeVerified) { // one statement tells nobody
		return c, false, nil
	}
	code, err := try()
	if err != nil || len(code.Guesses) > maxSpends {
		return c, false, err
	}
	args := []any{ref.ID, ref.Tenant, now.UnixMilli(), code.Keyed, code.Alphabet}
	for _, g := range code.Guesses {
		if g.Limit < 1 {
			return c, false, nil
		}
		args = append(args, g.ID, g.Limit, g.Window.Milliseconds())
	}
	err = db.look(ctx, func(t *tx) error {
		return t.query(ctx, trySQL[len(code.Guesses)], args, func(scan func(...any) error) error {
			done = true
			c, err = scanChallenge(scan)
			return err
		})
	})
	if unmet(err) {
		return c, false, nil // a spent budget, which is for Update to say
	}
	if err != nil {
		return c, false, fmt.Errorf("try code: %w", err)
	}
	return c, done, nil
}

// trySQL[n] counts a try, compares the code, spends n guess limits, and notes a wrong code, in one statement. $1 is the challenge, $2 its
// tenant, $3 now, $4 the keyed hash, $5 the alphabet; then the id of a limit, its quota and its window for each.
//
// It finds no row unless the challenge is pending, made under this key and alphabet, and not locked by this try. It
// says in SQL what passcode says in Go: bind, spendKey, and the order of a policy's numbers. Its exam compares the two.
var trySQL = func() (sql [maxSpends + 1]string) {
	const right = `code_hash = substring($4::bytea FOR 5) ||
		sha256($4::bytea || convert_to(purpose || ' ' || identifier, 'UTF8'))`
	const tried = `UPDATE challenges SET tries = tries + 1,
			state = CASE WHEN ` + right + ` THEN 'verified' ELSE 'pending' END,
			ended_at = CASE WHEN ` + right + ` THEN $3::bigint ELSE 0 END,
			code_sealed = CASE WHEN ` + right + ` THEN NULL ELSE code_sealed END
		WHERE id = $1 AND tenant = $2 AND state = 'pending' AND expires_at > $3::bigint
			AND substring(code_hash FOR 5) = substring($4::bytea FOR 5)
			AND right(policy, length($5::text) + 1) = ' ' || $5::text
			AND (` + right + ` OR tries + 1 < CAST(split_part(policy, ' ', 3) AS INTEGER))
		RETURNING ` + challengeColumns
	// A row of a limit is locked by a right code too: otherwise many codes in parallel could all be compared while one
	// unit is left. used > quota breaks the table's CHECK, and so the statement.
	const spent = `INSERT INTO limits (key, used, quota, resets_at, mark)
		SELECT substring(sha256(convert_to(tenant, 'UTF8') || '\x00'::bytea || convert_to(mailbox, 'UTF8')) FOR 12) || id,
			CASE WHEN verified THEN 0 ELSE 1 END, quota, $3::bigint + span, 0
		FROM (SELECT tenant, mailbox, state = 'verified' AS verified FROM tried) AS t
			CROSS JOIN (VALUES %s) AS w (id, quota, span)
		ON CONFLICT (key) DO UPDATE SET
			used = CASE WHEN limits.resets_at <= $3::bigint THEN excluded.used
				WHEN limits.used < excluded.quota THEN limits.used + excluded.used ELSE excluded.quota + 1 END,
			resets_at = CASE WHEN limits.resets_at <= $3::bigint THEN excluded.resets_at ELSE limits.resets_at END,
			quota = excluded.quota, mark = excluded.mark`
	const noted = `noted AS (INSERT INTO challenge_notes (challenge, kind, n, at, reason, quota)
		SELECT id, 'tried', tries, $3::bigint, 'wrong_code', '' FROM tried WHERE state = 'pending')`
	sql[0] = `WITH tried AS (` + tried + `), ` + noted + ` SELECT ` + challengeColumns + ` FROM tried`
	for n := 1; n <= maxSpends; n++ {
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("($%d::bytea, $%d::bigint, $%d::bigint)", 3*i+6, 3*i+7, 3*i+8))
		}
		sql[n] = `WITH tried AS (` + tried + `), ` + noted + `, spent AS (` + fmt.Sprintf(spent, strings.Join(rows, ", ")) + `)
			SELECT ` + challengeColumns + ` FROM tried`
	}
	return sql
}()
