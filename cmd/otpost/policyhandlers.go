package main

import (
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

// policyHandlers are the handlers of technical profiles by their .NET types, without anything behind them: they check and
// tell, and run nothing.
func policyHandlers() map[string]execute.Handler {
	return map[string]execute.Handler{
		accounts.Kind:              &accounts.Handler{},
		otp.OneTimePasswordHandler: &otp.OneTimePassword{},
		otp.SSPRHandler:            &otp.SSPR{},
	}
}
