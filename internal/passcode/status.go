package passcode

import "context"

// Cancel implements Verbs.
func (e *Engine) Cancel(ctx context.Context, ref Ref) (c Challenge, err error) {
	if ref, err = e.find(ref); err != nil {
		return c, e.refused(err)
	}
	now := e.Now()
	err = e.Store.Update(ctx, ref, now, func(held *Challenge, _ Turn) error {
		switch {
		case held.StateAt(now) == Expired && held.State == Pending:
			held.end(Expired, held.ExpiresAt)
		case held.State == Pending:
			held.end(Cancelled, now)
		}
		c = *held
		return nil
	})
	return c, e.refused(err)
}

// Status implements Verbs.
func (e *Engine) Status(ctx context.Context, ref Ref) (Timeline, error) {
	ref, err := e.find(ref)
	if err != nil {
		return Timeline{}, e.refused(err)
	}
	line, err := e.Store.Timeline(ctx, ref)
	if err != nil {
		return Timeline{}, e.refused(err)
	}
	return line, nil
}
