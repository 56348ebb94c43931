package limit

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres measures durable rows a second with one row a commit, from many clients with a connection each.
func Postgres(ctx context.Context, url string, clients int, d time.Duration) (Limit, error) {
	conns := make([]*pgx.Conn, clients)
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, url); err != nil {
			return Limit{}, fmt.Errorf("measure PostgreSQL: %w", err)
		}
		defer conns[i].Close(ctx)
	}
	if _, err := conns[0].Exec(ctx, createRow); err != nil {
		return Limit{}, fmt.Errorf("measure PostgreSQL: %w", err)
	}
	name := fmt.Sprintf("PostgreSQL, one row a commit, %d clients", clients)
	return measure(ctx, name, clients, d, func(caller int) error {
		id, body := newRow()
		_, err := conns[caller].Exec(ctx, insertRow, id, body)
		return err
	})
}
