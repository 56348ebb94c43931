package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

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
	if errors.Is(err, errPrivateAddress) || certificateFailure(err) || notTLS(err) {
		return outbox.Account
	}
	return outbox.Transient
}

// notTLS reports whether the server spoke something else where TLS was to begin. For HTTP in clear net/http has an error
// of its own.
func notTLS(err error) bool {
	return errors.As(err, new(tls.RecordHeaderError)) || errors.Is(err, http.ErrSchemeMismatch)
}

func certificateFailure(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// networkDetail describes a failure in words of ours. The error's own text is not used: it can hold a URL with its
// query, or whatever a server chose to say.
func networkDetail(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, errPrivateAddress):
		return errPrivateAddress.Error() + "; set allow_private if that is meant"
	case errors.As(err, new(x509.HostnameError)):
		return "the server's certificate is for another host"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "the server's certificate is signed by an unknown authority"
	case certificateFailure(err):
		return "the server's certificate is not valid"
	case notTLS(err):
		return "the server does not speak TLS on this port"
	case errors.As(err, new(tls.AlertError)):
		return "the server broke off the TLS handshake"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host name is not known"
	case errors.As(err, &dns):
		return "the host name could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, errNoConnection):
		return errNoConnection.Error()
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed"
	}
	return "network error"
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
