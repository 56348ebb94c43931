package provider

import (
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// Public opens the guard's judgement to tests.
func Public(a netip.Addr) bool { return public(a) }

// SignWebhook opens the signature to tests.
func SignWebhook(secret, id string, at time.Time, body []byte) (http.Header, error) {
	secrets, err := parseSecrets([]string{secret})
	if err != nil {
		return nil, err
	}
	return signWebhook(secrets, id, at, body), nil
}

// OpenGuardedWebhook opens a webhook that takes one address of this machine for a public one, since a test has no
// public address to offer.
func OpenGuardedWebhook(settings any, env Environment, stranger netip.Addr) (outbox.Sender, error) {
	return newWebhook(settings.(webhookSettings), env, func(network, address string, c syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr() == stranger {
			return nil
		}
		return refusePrivate(network, address, c)
	})
}
