package authenticator

import (
	"context"
	"crypto/subtle"
	"fmt"
)

// WithSecret lists the user's devices, pending or confirmed, that have a secret, oldest first. The secret is written as in
// Request. It is for callers that are given one secret again and again, and must not enrol it each time.
func (e *Engine) WithSecret(ctx context.Context, tenant, user, secret string) ([]Device, error) {
	wanted, err := parseSecret(secret)
	if err != nil {
		return nil, e.refused(invalid("secret", err.Error()))
	}
	defer clear(wanted)
	devices, err := e.Devices(ctx, tenant, user)
	if err != nil {
		return nil, err
	}
	var same []Device
	for i := range devices {
		held, err := e.Ring.Open(devices[i].SecretSealed, sealedFor(&devices[i]))
		if err != nil {
			return nil, fmt.Errorf("open secret of authenticator %s: %w", devices[i].ID, err)
		}
		if subtle.ConstantTimeCompare(held, wanted) == 1 {
			same = append(same, devices[i])
		}
		clear(held)
	}
	return same, nil
}
