package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

// spend takes what it costs from each limit in one statement. A row that is full and whose window is open is left alone,
// and so does not count as changed; then what was taken is given back and the caller is told which limit said no. Rows
// are locked in the order given, narrow limits before the shared ones, so that two callers cannot block each other.
//
// Of a limit that is split, one part is tried, and if that is spent, one that is seen to have a unit left. A spent row is
// locked by the question: who asked every part for itself would hold them all, and two who do so block each other.
func (t *tx) spend(spends []passcode.Spend, now time.Time) error {
	last := len(spends) - 1
	if last < 0 || spends[last].Parts == 0 {
		return t.spendWhole(spends, now)
	}
	split := spends[last]
	spends = slices.Clone(spends)
	start := rand.IntN(split.Parts)
	spends[last] = split.Part(start)
	err := t.spendWhole(spends, now)
	var refused *passcode.Exhausted
	if !errors.As(err, &refused) || refused.Name != split.Name {
		return err
	}
	for i := 1; i < split.Parts; i++ {
		part := split.Part((start + i) % split.Parts)
		var spent *passcode.Exhausted
		err := t.ask([]passcode.Spend{part}, now)
		if errors.As(err, &spent) {
			if spent.RetryAt.Before(refused.RetryAt) {
				refused = spent
			}
			continue
		}
		if err != nil {
			return err
		}
		spends[last] = part
		if err = t.spendWhole(spends, now); errors.As(err, &spent) && spent.Name == split.Name {
			return errRace // its last unit went to another, so look again with nothing locked
		}
		return err
	}
	return refused
}

func (t *tx) spendWhole(spends []passcode.Spend, now time.Time) error {
	before := t.wrote
	asked, taken := split(spends)
	for _, s := range taken {
		if s.Limit < 1 {
			return &passcode.Exhausted{Name: s.Name, RetryAt: now.Add(s.Window)}
		}
	}
	if t.whole() {
		return t.demand(asked, taken, now)
	}
	if err := t.ask(asked, now); err != nil || len(taken) == 0 {
		return err
	}
	mark := rand.Int64()
	n, err := t.exec(spendSQL[len(taken)], takeArgs(taken, now, mark)...)
	if err != nil {
		return fmt.Errorf("spend: %w", err)
	}
	if int(n) == len(taken) {
		return nil
	}
	refused, err := t.giveBack(taken, mark)
	if err != nil {
		return err
	}
	// All that was taken has been given back, so the refusal leaves nothing to undo.
	t.wrote = before
	return refused
}

// demand spends without looking: a limit that is spent fails the transaction.
func (t *tx) demand(asked, taken []passcode.Spend, now time.Time) error {
	if len(asked) > 0 {
		if err := t.do(demandSQL[len(asked)], askArgs(asked, now)...); err != nil {
			return err
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return t.do(takeSQL[len(taken)], takeArgs(taken, now, 0)...)
}

// giveBack undoes a spend that not every limit let through, and says which one did not, the latest to open if several.
func (t *tx) giveBack(spends []passcode.Spend, mark int64) (refused *passcode.Exhausted, err error) {
	for _, s := range spends {
		var last, resets int64
		if _, err := t.one(`SELECT mark, resets_at FROM limits WHERE key = $1`, []any{s.Key}, &last, &resets); err != nil {
			return nil, fmt.Errorf("read limit: %w", err)
		}
		if last == mark {
			if err := t.refund([]passcode.Spend{s}); err != nil {
				return nil, err
			}
			continue
		}
		if at := fromMillis(resets); refused == nil || at.After(refused.RetryAt) {
			refused = &passcode.Exhausted{Name: s.Name, RetryAt: at}
		}
	}
	return refused, nil
}

// refund gives back units that were spent in this transaction.
func (t *tx) refund(spends []passcode.Spend) error {
	for len(spends) > 0 {
		// Two at a time: most limits have two windows.
		first, second := spends[0], spends[min(1, len(spends)-1)]
		if err := t.do(`UPDATE limits SET used = used - CASE WHEN key = $1 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END
			WHERE key IN ($1, $2) AND used > 0`, first.Key, second.Key, first.Cost, second.Cost); err != nil {
			return fmt.Errorf("refund: %w", err)
		}
		spends = spends[min(2, len(spends)):]
	}
	return nil
}

// ask returns *passcode.Exhausted when one of the limits has no unit left, the latest to open if several, and takes
// nothing.
func (t *tx) ask(spends []passcode.Spend, now time.Time) error {
	if len(spends) == 0 {
		return nil
	}
	var refused *passcode.Exhausted
	err := t.query(t.ctx, askSQL[len(spends)], askArgs(spends, now), func(scan func(...any) error) error {
		var which int
		var resets int64
		if err := scan(&which, &resets); err != nil {
			return err
		}
		if at := fromMillis(resets); refused == nil || at.After(refused.RetryAt) {
			refused = &passcode.Exhausted{Name: spends[which].Name, RetryAt: at}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ask limits: %w", err)
	}
	if refused != nil {
		return refused
	}
	return nil
}

// Spend takes the spends in a transaction of their own.
func (db *DB) Spend(ctx context.Context, now time.Time, spends ...passcode.Spend) error {
	return db.transact(ctx, func(t *tx) error { return t.spend(spends, now) })
}

func split(spends []passcode.Spend) (asked, taken []passcode.Spend) {
	for i, s := range spends {
		if s.Cost == 0 {
			asked = append(asked, s)
			continue
		}
		if asked == nil {
			taken = spends[:i+1]
		} else {
			taken = append(taken[:len(taken):len(taken)], s)
		}
	}
	return asked, taken
}

// maxSpends bounds how many limits one request can meet: eight windows for each of four kinds, a lock-out, an interval, and
// what a guard adds.
const maxSpends = 40

// askSQL[n] finds those of n limits that are spent, and demandSQL[n] fails when there is one; see askArgs.
var askSQL, demandSQL = func() (ask, demand [maxSpends + 1]string) {
	for n := 1; n <= maxSpends; n++ {
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf(`SELECT %d AS which, resets_at FROM limits
				WHERE key = $%d AND used >= $%d AND resets_at > $1`, i, 2*i+2, 2*i+3))
		}
		ask[n] = strings.Join(rows, " UNION ALL ")
		demand[n] = demandNone(ask[n])
	}
	return ask, demand
}()

// askArgs are now, then key and quota of each.
func askArgs(spends []passcode.Spend, now time.Time) []any {
	args := make([]any, 1, 1+2*len(spends))
	args[0] = now.UnixMilli()
	for _, s := range spends {
		args = append(args, s.Key, s.Limit)
	}
	return args
}

// spendSQL[n] takes from n limits at once where they are to be had, and takeSQL[n] breaks the table's CHECK where one is not;
// see takeArgs. RETURNING would say the same as the mark and the count of rows, at twice the cost on SQLite.
var spendSQL, takeSQL = func() (spend, take [maxSpends + 1]string) {
	for n := 1; n <= maxSpends; n++ {
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("($%d, CAST($%d AS BIGINT), $%d, $%d, $2)", 4*i+3, 4*i+4, 4*i+5, 4*i+6))
		}
		take[n] = `INSERT INTO limits (key, used, quota, resets_at, mark) VALUES ` + strings.Join(rows, ", ") + `
			ON CONFLICT (key) DO UPDATE SET
				used = CASE WHEN limits.resets_at <= $1 THEN excluded.used ELSE limits.used + excluded.used END,
				resets_at = CASE WHEN limits.resets_at <= $1 THEN excluded.resets_at ELSE limits.resets_at END,
				quota = excluded.quota, mark = excluded.mark`
		spend[n] = take[n] + ` WHERE limits.resets_at <= $1 OR limits.used + excluded.used <= excluded.quota`
	}
	return spend, take
}()

// takeArgs are now, the spender's mark, then key, cost, quota and the end of a new window for each.
func takeArgs(spends []passcode.Spend, now time.Time, mark int64) []any {
	ms := now.UnixMilli()
	args := make([]any, 2, 2+4*len(spends))
	args[0], args[1] = ms, mark
	for _, s := range spends {
		args = append(args, s.Key, s.Cost, s.Limit, ms+s.Window.Milliseconds())
	}
	return args
}
