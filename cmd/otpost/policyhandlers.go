package main

import (
	"context"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
	"github.com/otpost/otpost/internal/trustframework/otp"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// policyParts are what the handlers of technical profiles stand on. The zero value is enough to check and to tell.
type policyParts struct {
	passcodes      *passcode.Engine
	authenticators *authenticator.Engine
	// window is how far the clocks of authenticator apps may be off.
	window authenticator.Window
	// directory finds accounts; nil is none.
	directory accounts.Directory
	services  restful.Options
}

// handlers are those of all kinds of technical profiles that there are, by their .NET types.
func (p policyParts) handlers() map[string]execute.Handler {
	return map[string]execute.Handler{
		accounts.Kind:              &accounts.Handler{Directory: p.directory},
		mfa.HandlerType:            &mfa.Handler{Passcodes: p.passcodes, Authenticators: p.authenticators, Application: callerOf, Window: p.window},
		otp.OneTimePasswordHandler: &otp.OneTimePassword{Engine: p.passcodes},
		otp.SSPRHandler:            &otp.SSPR{Engine: p.passcodes, Application: callerOf},
		restful.Kind:               restful.New(p.services),
	}
}

// policyHandlers are handlers without anything behind them: they check and tell, and run nothing. keys, when not empty, is
// the folder with the policy keys, each of which must then be there.
func policyHandlers(keys string, directory accounts.Directory) (map[string]execute.Handler, error) {
	parts := policyParts{directory: directory}
	if keys != "" {
		find, err := policyKeys(keys)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		parts.services.Keys = find
	}
	return parts.handlers(), nil
}

// somebody is a directory that a policy is checked with where one will be there.
type somebody struct{}

func (somebody) Find(context.Context, accounts.Question) (map[string]any, bool, error) {
	return nil, false, nil
}

// handlers makes a server's handlers those of a trial: without Send neither services nor the directory are asked.
func (t *policyTrial) handlers(c *config.Config, by map[string]execute.Handler) (err error) {
	if t.Send {
		return nil
	}
	if t.mute.keys, err = policyKeys(c.B2CKeys); err != nil {
		return err
	}
	by[restful.Kind] = restful.New(restful.Options{Keys: t.mute.key, AllowHTTP: true, AllowPrivate: true, Instead: &t.mute})
	by[accounts.Kind] = &accounts.Handler{Directory: &t.mute}
	return nil
}
