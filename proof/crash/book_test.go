package crash_test

import (
	"fmt"
	"hash/crc32"
	"maps"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/proof/rig"
)

// wish is one passcode that somebody asked for, or one event of Entra's, with what the asker was told.
type wish struct {
	to string
	// event is the body that Entra sends, empty for a passcode of otpost's own.
	event, code string

	mu sync.Mutex
	// id is set once a 201 came, and taken once Entra was told 200.
	id            string
	taken, unsent bool
	// lost is set while the last request has no answer.
	lost bool
	// resends, wrong and right count requests that were answered, and those whose answer was lost.
	resends, wrong, right answers
	// verified counts answers that said so, used those that said the code was used.
	verified, used int

	// seen is set once it was found in a mailbox, spent once its code is proved to be of no more use.
	seen, spent bool
}

// tally is what was answered, for a message.
func (w *wish) tally() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("wrong %+v, right %+v, verified %d, used %d", w.wrong, w.right, w.verified, w.used)
}

type answers struct{ got, lost int }

func (a *answers) count(answered bool) {
	if answered {
		a.got++
		return
	}
	a.lost++
}

// book knows what was asked for and what arrived.
type book struct {
	mu     sync.Mutex
	wishes []*wish
	// holders are people whose codes a policy hands over.
	holders []*holder
	// arrived are the mails by the delivery's id, which the Message-ID holds.
	arrived map[string][]rig.Message
	codes   map[string]string // by recipient, the last one
	refused map[string]bool
}

func newBook() *book {
	return &book{arrived: map[string][]rig.Message{}, codes: map[string]string{}, refused: map[string]bool{}}
}

func (b *book) add(w *wish) *wish {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wishes = append(b.wishes, w)
	return w
}

// all are the wishes so far.
func (b *book) all() []*wish {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*wish(nil), b.wishes...)
}

func (b *book) codeOf(to string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.codes[to]
}

// everything is a copy of what arrived.
func (b *book) everything() map[string][]rig.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.arrived)
}

func (b *book) mails(delivery string) []rig.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]rig.Message(nil), b.arrived[delivery]...)
}

// greylist is how the mail server greets one message of eight at its first try.
var greylist = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "come back later"}

// receive is told of every message that reached the mail server whole. A message that it refuses has not arrived.
func (b *book) receive(m rig.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if crc32.ChecksumIEEE([]byte(m.ID))%8 == 0 && !b.refused[m.ID] {
		b.refused[m.ID] = true
		return greylist
	}
	id := deliveryOf(m)
	b.arrived[id] = append(b.arrived[id], m)
	b.codes[m.To] = m.Code
	return nil
}

func deliveryOf(m rig.Message) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(m.ID, "<"), "@")
	return id
}
