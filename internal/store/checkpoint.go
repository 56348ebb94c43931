package store

import (
	"context"
	"sync/atomic"
)

// checkpointer copies what commits have put into SQLite's write-ahead log to the file of the database, beside the
// writer. Left to itself SQLite does so at the end of some commit, and everybody who waits for that one waits for
// megabytes: each two seconds at full load (SQLite documentation, "Write-Ahead Logging", section 3.3).
//
// A log begins anew only when all of it has been copied and nobody adds to it, so the last few frames are left to the
// writer, between two groups.
type checkpointer struct {
	conn *sqliteConn
	// look is filled by the writer now and then; closing it ends run.
	look    chan struct{}
	stopped chan struct{}
	// finish asks the writer to copy the rest.
	finish atomic.Bool
}

// How long a log may grow, in frames: 4 KiB each.
const (
	// checkpointCopy is how many frames are worth a copy, which ends with an fsync.
	checkpointCopy = 4000
	// checkpointAnew is from when on a log is begun anew, checkpointRest how few frames the writer is asked to copy.
	checkpointAnew = 12000
	checkpointRest = 500
	// checkpointGroups is after how many groups the writer has the log looked at.
	checkpointGroups = 16
)

func (c *checkpointer) run() {
	defer close(c.stopped)
	defer c.conn.Close()
	for range c.look {
		frames, copied := checkpoint(c.conn, "NOOP")
		if frames-copied < checkpointCopy && frames < checkpointAnew {
			continue
		}
		if frames, _ = checkpoint(c.conn, "PASSIVE"); frames < checkpointAnew {
			continue
		}
		for range 3 { // what was added meanwhile, and less each time
			if frames, copied = checkpoint(c.conn, "NOOP"); frames-copied < checkpointRest {
				break
			}
			checkpoint(c.conn, "PASSIVE")
		}
		c.finish.Store(true)
	}
}

// checkpoint runs a checkpoint of that kind and returns how many frames the log has and how many of them are copied. One
// that fails is tried again at the next look; the log is as durable as the file.
func checkpoint(conn *sqliteConn, kind string) (frames, copied int) {
	_ = conn.query(context.Background(), "PRAGMA wal_checkpoint("+kind+")", nil, func(scan func(...any) error) error {
		var busy int
		return scan(&busy, &frames, &copied)
	})
	return frames, copied
}

// wake has the log looked at, unless that is under way.
func (c *checkpointer) wake() {
	select {
	case c.look <- struct{}{}:
	default:
	}
}
