package load

import (
	"context"
	"time"
)

// Begins calls begin with each time at which one worker's cycle should begin.
func Begins(ctx context.Context, plan Plan, begin func(due time.Time)) {
	p := newPace(plan, time.Now())
	for due, ok := p.take(ctx); ok; due, ok = p.take(ctx) {
		begin(due)
	}
}

// FormatAddress and ParseAddress are the two halves of an address.
func FormatAddress(run, worker, n int) string { return formatAddress(run, worker, n) }

// ParseAddress is the reverse of FormatAddress.
func ParseAddress(to []byte) (run, worker, n int, ok bool) { return parseAddress(to) }

// Requests returns the bytes of an issue and of a verify request.
func Requests(target Target, run, worker, n int, id, code string) (issue, verify []byte) {
	r := newRequests(target, run, worker)
	return r.issuing(n), r.verifying([]byte(id), newCode([]byte(code)))
}

// WrongCodes are the codes that are tried in place of the right one.
func WrongCodes(code string) []string {
	var all []string
	for i := 1; i <= tries; i++ {
		wrong := newCode([]byte(code)).wrong(i)
		all = append(all, string(wrong.digits[:wrong.length]))
	}
	return all
}
