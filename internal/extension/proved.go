package extension

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Bounds of the memory of proved tokens: Entra presents one token for many events, so a few are enough.
const (
	maxProved    = 1024
	provedAtMost = 5 * time.Minute
)

// proved remembers which tokens were found valid, by hash, so that a token that is presented again costs a hash
// instead of a signature check. What it remembers ends with the token, with the key set it was proved with, and after
// five minutes at the latest. Refusals are not remembered.
type proved struct {
	mu    sync.RWMutex
	byKey map[[sha256.Size]byte]proof
}

type proof struct {
	id    Identity
	keys  *keySet
	snap  *snapshot
	until time.Time
}

func (p *proof) holds(now time.Time) bool {
	return now.Before(p.until) && p.keys.current.Load() == p.snap
}

func (m *proved) find(sum [sha256.Size]byte, now time.Time) (Identity, bool) {
	m.mu.RLock()
	p, ok := m.byKey[sum]
	m.mu.RUnlock()
	return p.id, ok && p.holds(now)
}

func (m *proved) keep(sum [sha256.Size]byte, p proof, now time.Time) {
	if last := now.Add(provedAtMost); p.until.After(last) {
		p.until = last
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byKey == nil {
		m.byKey = make(map[[sha256.Size]byte]proof)
	}
	if len(m.byKey) >= maxProved {
		for sum, old := range m.byKey {
			if !old.holds(now) {
				delete(m.byKey, sum)
			}
		}
	}
	if len(m.byKey) >= maxProved {
		clear(m.byKey)
	}
	m.byKey[sum] = p
}
