package crash_test

import (
	"fmt"
	"strings"
	"sync"

	"github.com/otpost/otpost/proof/rig"
)

// holder is a person whose codes a B2C policy makes and hands over to its caller, in one session.
type holder struct {
	key string

	mu      sync.Mutex
	session string
	// code is the last one that was handed over; empty once a later one may have taken its place.
	code string
	// given are generations, wrong and right tries, all of every code.
	given, wrong, right answers
	verified            int
	// counted are answers that said that a wrong code was counted.
	counted int
	// locked is set once the answer said that the code is.
	locked, spent bool
}

func (h *holder) String() string {
	return fmt.Sprintf("%s: given %+v, wrong %+v, right %+v, verified %d, counted %d, locked %v", h.key, h.given, h.wrong, h.right,
		h.verified, h.counted, h.locked)
}

// What a policy's refusals are called.
const (
	wrongCode  = "UserMessageIfVerificationFailedRetryAllowed"
	lastWrong  = "UserMessageIfInvalidCode"
	lockedOut  = "UserMessageIfMaxRetryAttempted"
	noMoreMade = "UserMessageIfMaxNumberOfCodeGenerated"
	noSuchCode = "UserMessageIfSessionDoesNotExist"
)

// hold lets n new people have a code made, and does something with the code of each older one.
func (c *callers) hold(n int) {
	older := c.book.people()
	var all sync.WaitGroup
	for range n {
		c.world.mu.Lock()
		c.made++
		h := &holder{key: fmt.Sprintf("holder%d@example.test", c.made)}
		c.world.mu.Unlock()
		c.book.admit(h)
		all.Go(func() { c.generate(h) })
	}
	for i, h := range older {
		all.Go(func() { c.handle(i, h) })
	}
	all.Wait()
}

// handle does one of several things with a code.
func (c *callers) handle(i int, h *holder) {
	h.mu.Lock()
	idle := h.session == "" || h.spent || c.dead()
	h.mu.Unlock()
	switch {
	case idle:
	case i%4 == 0:
		c.mistype(h)
	case i%4 == 1:
		c.generate(h)
	case i%4 == 2:
		c.show(h)
	}
}

// generate has a code made and notes what was handed over. In a session that was never answered nobody can go on.
func (c *callers) generate(h *holder) (refusal string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	got, err := c.client.Policy("technicalprofiles/Generate", h.claims(""))
	switch {
	case err != nil:
		h.given.lost++
		h.code = ""
	case got.Status == 200 && len(got.Made) == 12:
		h.given.got++
		h.code, h.session = got.Made, got.Session
		if h.locked {
			c.t.Errorf("a code was made during the lock-out: %v", h)
		}
	case got.Status != 409:
		c.t.Errorf("generate for %v: %+v", h, got)
	case got.Made == noMoreMade && h.given.got+h.given.lost < rig.Generations:
		c.t.Errorf("codes are said to be used up: %v", h)
	}
	return got.Made
}

// mistype tries a wrong code.
func (c *callers) mistype(h *holder) { c.typed(h, &h.wrong, func() string { return "WRQNGWRQNG22" }) }

// show tries the code that was handed over last, if that is known.
func (c *callers) show(h *holder) { c.typed(h, &h.right, func() string { return h.code }) }

func (c *callers) typed(h *holder, kind *answers, code func() string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if code() == "" || h.session == "" {
		return
	}
	got, err := c.client.Policy("technicalprofiles/Verify", h.claims(code()))
	kind.count(err == nil)
	switch {
	case err != nil:
	case got.Status == 200:
		h.verified++
		if kind == &h.wrong {
			c.t.Errorf("a wrong code verified for %v", h)
		}
		if h.locked {
			c.t.Errorf("a code verified after it was locked, for %v", h)
		}
		h.code = ""
	case got.Status != 409:
		c.t.Errorf("verify for %v: %+v", h, got)
	case got.Made == lastWrong || got.Made == lockedOut:
		if got.Made == lastWrong {
			h.counted++
		}
		h.locked = true
		h.code = ""
	case got.Made == wrongCode && kind == &h.wrong:
		h.counted++
	case got.Made == noSuchCode:
	default:
		c.t.Errorf("verify for %v: %+v", h, got)
	}
}

func (h *holder) claims(typed string) map[string]string {
	claims := map[string]string{"email": h.key}
	if typed != "" {
		claims["typed"] = typed
	}
	if h.session != "" {
		claims["otpost_session"] = h.session
	}
	return claims
}

// wantGenerationsKept wants of each session that what was handed over works once, that a lock-out lasts, and that no
// generation and no try was forgotten.
func (c *callers) wantGenerationsKept() {
	c.t.Helper()
	var mine []*holder
	for _, h := range c.book.people() {
		if h.session != "" && !h.spent {
			mine = append(mine, h)
		}
	}
	rig.Together(8, len(mine), func(i int) { c.wantGenerated(mine[i]) })
	onDisk := c.generationsOnDisk()
	for _, h := range mine {
		h.spent = true
		n := onDisk[h.key]
		c.count.add(&c.count.generated, h.given.got)
		if n.generations < h.given.got || n.generations > h.given.got+h.given.lost {
			c.count.add(&c.count.uncounted, 1)
			c.t.Errorf("%d generations on disk of %v", n.generations, h)
		}
		if n.tries < h.verified+h.counted || n.tries > h.wrong.got+h.wrong.lost+h.right.got+h.right.lost {
			c.count.add(&c.count.uncounted, 1)
			c.t.Errorf("%d tries on disk of %v", n.tries, h)
		}
	}
}

// wantGenerated tries the code that was handed over before the crash, or a new one where that is not known; then again by
// two at once.
func (c *callers) wantGenerated(h *holder) {
	c.t.Helper()
	if h.locked {
		if said := c.generate(h); said != lockedOut {
			c.t.Errorf("a code is asked for during the lock-out, and answered with %q: %v", said, h)
		}
		return
	}
	if h.code == "" && c.generate(h) == lockedOut && h.wrong.lost > 0 {
		return // the try that locked it was not answered
	}
	code, before, unknown := h.code, h.verified, h.right.lost+h.wrong.lost > 0
	if code == "" {
		if h.given.got+h.given.lost < rig.Generations {
			c.t.Errorf("no code can be had: %v", h)
		}
		return
	}
	c.show(h)
	if h.verified == before && !unknown {
		c.t.Errorf("a code that was handed over does not verify: %v", h)
	}
	verified := h.verified
	rig.Together(2, 2, func(int) {
		h.mu.Lock()
		h.code = code
		h.mu.Unlock()
		c.show(h)
	})
	if h.verified != verified {
		c.count.add(&c.count.twice, 1)
		c.t.Errorf("a code verified twice: %v", h)
	}
}

type generations struct{ generations, tries int }

// generationsOnDisk are the generations and tries of each session, by key: no two sessions share one, but for those whose
// first answer was lost.
func (w *world) generationsOnDisk() map[string]generations {
	w.t.Helper()
	found := map[string]generations{}
	for _, row := range w.db.Texts(w.t, `SELECT identifier || ' ' || sends || ' ' || tries FROM challenges WHERE channel = 'caller'`) {
		var key string
		var sends, tries int
		if _, err := fmt.Sscan(row, &key, &sends, &tries); err != nil {
			w.t.Fatal(err)
		}
		key = strings.TrimPrefix(key, "key:")
		n := found[key]
		found[key] = generations{max(n.generations, sends), n.tries + tries}
	}
	return found
}

func (b *book) admit(h *holder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holders = append(b.holders, h)
}

// people are the holders so far.
func (b *book) people() []*holder {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*holder(nil), b.holders...)
}
