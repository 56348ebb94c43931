package egress

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
)

// NotTLS reports whether the server spoke something else where TLS was to begin. For HTTP in clear net/http has an error
// of its own.
func NotTLS(err error) bool {
	return errors.As(err, new(tls.RecordHeaderError)) || errors.Is(err, http.ErrSchemeMismatch)
}

// CertificateFailure reports whether the server's certificate was refused.
func CertificateFailure(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// Detail describes a failure in words of ours. The error's own text is not used: it can hold a URL with its query, or
// whatever a server chose to say.
func Detail(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, ErrPrivate):
		return ErrPrivate.Error()
	case errors.As(err, new(x509.HostnameError)):
		return "the server's certificate is for another host"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "the server's certificate is signed by an unknown authority"
	case CertificateFailure(err):
		return "the server's certificate is not valid"
	case NotTLS(err):
		return "the server does not speak TLS on this port"
	case errors.As(err, new(tls.AlertError)):
		return "the server broke off the TLS handshake"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host name is not known"
	case errors.As(err, &dns):
		return "the host name could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case Timeout(err):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed"
	}
	return "network error"
}

// Timeout reports whether a time was over.
func Timeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}
