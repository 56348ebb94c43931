package rig

// What a crash may send twice, from internal/outbox: the messages in the hands of the workers, and those a provider
// has taken whose record is not on disk yet. A worker goes on to its next message once it has a place to record in, so
// the number of those places bounds the second kind.
const (
	Workers = 16
	Records = 128
)

// ShortLeases let another process take up soon what a dead one held. SQLite has no need of it: its one server knows at
// its start that all leases are void.
var ShortLeases = Settings{"lease": "5s", "attempt_timeout": "4s"}
