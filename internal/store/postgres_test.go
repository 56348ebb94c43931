package store_test

import (
	"testing"

	"github.com/otpost/otpost/internal/store/pgtest"
)

// TestTheURLSizesThePool opens and migrates a database by a URL that says how many connections the pool may have.
func TestTheURLSizesThePool(t *testing.T) {
	db := open(t, pgtest.Start(t).Database(t)+"?pool_max_conns=2")
	if err := db.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
