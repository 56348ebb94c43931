package store

import (
	"context"
	"fmt"

	"github.com/otpost/otpost/internal/faultpoint"
)

// write is one caller's transaction, waiting for its turn in a group.
type write struct {
	body func(*tx) error
	done chan error
	err  error
	// out is set when the write has failed and takes no part in the group's commit.
	out bool
}

// groupWriter is the only writer of a SQLite file. It takes all who wait, runs them one after the other in one
// transaction, commits once, and only then tells them: an answer of success means it is on disk.
type groupWriter struct {
	conn    *sqliteConn
	log     *checkpointer
	observe func(size int)
}

func (g *groupWriter) run(writes <-chan *write, stopped chan<- struct{}) {
	defer close(stopped)
	defer g.conn.Close()
	defer close(g.log.look)
	group := make([]*write, 0, sqliteGroup)
	groups := 0
	for first := range writes {
		group = append(group[:0], first)
		g.commit(&group, writes)
		for _, w := range group {
			w.done <- w.err
		}
		if g.observe != nil {
			g.observe(len(group))
		}
		if groups++; groups%checkpointGroups == 0 {
			g.log.wake()
		}
		if g.log.finish.Swap(false) {
			checkpoint(g.conn, "PASSIVE")
		}
	}
}

// commit carries out the group, which grows by those who come while it runs. A write that fails after it changed
// something spoils the others' transaction too: then all is undone and the rest runs again without it.
func (g *groupWriter) commit(group *[]*write, more <-chan *write) {
	for {
		if err := g.conn.run("BEGIN IMMEDIATE"); err != nil {
			g.fail(*group, fmt.Errorf("begin: %w", err))
			return
		}
		spoilt := false
		for i := 0; i < len(*group) && !spoilt; i++ {
			if w := (*group)[i]; !w.out {
				spoilt = g.try(w)
			}
			if i == len(*group)-1 && len(*group) < cap(*group) {
				select {
				case w, open := <-more:
					if open {
						*group = append(*group, w)
					}
				default:
				}
			}
		}
		if !spoilt {
			faultpoint.Here("commit.before")
			err := g.conn.run("COMMIT")
			if err == nil {
				faultpoint.Here("commit.after")
				return
			}
			g.fail(*group, fmt.Errorf("commit: %w", err))
		}
		// An error can have ended the transaction already; then there is nothing to undo and this fails, which is fine.
		_ = g.conn.run("ROLLBACK")
		if !spoilt {
			return
		}
	}
}

// try runs one write and reports whether it spoilt the transaction.
func (g *groupWriter) try(w *write) (spoilt bool) {
	t := &tx{ctx: context.Background(), querier: g.conn}
	defer func() {
		if p := recover(); p != nil {
			w.err, w.out, spoilt = fmt.Errorf("store: panic in a transaction: %v", p), true, true
		}
	}()
	w.err = w.body(t)
	w.out = w.err != nil
	return w.out && t.wrote
}

func (g *groupWriter) fail(group []*write, err error) {
	for _, w := range group {
		if !w.out {
			w.err = err
		}
	}
}
