package main

import (
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
