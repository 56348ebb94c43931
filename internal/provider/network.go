package provider

import (
	"context"
	"errors"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/outbox"
)

// errNoConnection ends a try for which outbox.ConnectBy has passed.
var errNoConnection = errors.New("no connection in the time that was left for one")

// untilConnected bounds ctx by outbox.ConnectBy, for what comes before a message can be written.
func untilConnected(ctx context.Context) (context.Context, context.CancelFunc) {
	if by, ok := outbox.ConnectBy(ctx); ok {
		return context.WithDeadlineCause(ctx, by, errNoConnection)
	}
	return ctx, func() {}
}

// networkClass is the class of a failure to talk at all. What settings must be changed to cure is Account; everything
// else may pass by itself.
func networkClass(err error) outbox.Class {
	if errors.Is(err, egress.ErrPrivate) || egress.CertificateFailure(err) || egress.NotTLS(err) {
		return outbox.Account
	}
	return outbox.Transient
}

// networkDetail is egress.Detail, with what is the providers' own.
func networkDetail(err error) string {
	switch {
	case errors.Is(err, egress.ErrPrivate):
		return egress.ErrPrivate.Error() + "; set allow_private if that is meant"
	case errors.Is(err, errNoConnection):
		return errNoConnection.Error()
	}
	return egress.Detail(err)
}

// contextError keeps of an error only that a context ended: anything else could quote the server or hold a URL.
func contextError(err error) error {
	for _, e := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, e) {
			return e
		}
	}
	return nil
}
