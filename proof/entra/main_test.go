// Package entra_test plays Entra's OnOtpSend events in great number against running servers, while the mail provider
// misbehaves and servers are killed, and holds what Entra was told against what the provider took.
package entra_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
