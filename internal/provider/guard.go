package provider

import (
	"fmt"

	"github.com/otpost/otpost/internal/egress"
)

// checkHost is egress.CheckHost, for kinds with a setting that allows every host.
func checkHost(host string, allowPrivate bool) error {
	if allowPrivate {
		return nil
	}
	if err := egress.CheckHost(host); err != nil {
		return fmt.Errorf("%w; set allow_private if that is meant", err)
	}
	return nil
}
