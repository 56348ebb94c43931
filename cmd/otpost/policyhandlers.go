package main

import (
	"cmp"
	"context"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
	"github.com/otpost/otpost/internal/trustframework/otp"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// policyHandlers are the handlers of technical profiles by their .NET types, without anything behind them: they check and
// tell, and run nothing. keys, when not empty, is the folder with the policy keys, each of which must then be there.
func policyHandlers(keys string, directory accounts.Directory) (map[string]execute.Handler, error) {
	var options restful.Options
	if keys != "" {
		find, err := policyKeys(keys)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		options.Keys = find
	}
	return map[string]execute.Handler{
		accounts.Kind:              &accounts.Handler{Directory: directory},
		mfa.HandlerType:            &mfa.Handler{},
		otp.OneTimePasswordHandler: &otp.OneTimePassword{},
		otp.SSPRHandler:            &otp.SSPR{},
		restful.Kind:               restful.New(options),
	}, nil
}

// somebody is a directory that a policy is checked with where one will be there.
type somebody struct{}

func (somebody) Find(context.Context, accounts.Question) (map[string]any, bool, error) {
	return nil, false, nil
}

// trialHandlers makes a server's handlers those of a trial: services and the directory are not asked.
func (t *policyTrial) handlers(c *config.Config, by map[string]execute.Handler) error {
	keys, err := policyKeys(cmp.Or(t.Keys, c.B2CKeys))
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if t.Send {
		by[restful.Kind] = restful.New(restful.Options{Keys: keys, AllowPrivate: c.B2CAllowPrivate})
		return nil
	}
	t.mute.keys = keys
	by[restful.Kind] = restful.New(restful.Options{Keys: t.mute.key, AllowHTTP: true, AllowPrivate: true, Instead: &t.mute})
	by[accounts.Kind] = &accounts.Handler{Directory: &t.mute}
	return nil
}
