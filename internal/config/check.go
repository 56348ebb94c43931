package config

import "net"

// check finds values that are right alone and wrong together.
func (c *Config) check() Problems {
	var problems Problems
	wrong := func(setting, what, do string) {
		problems = append(problems, &Problem{Setting: setting, Origin: c.Origin(setting), What: what, Do: do})
	}
	if c.Production && c.Inbox == InboxOn {
		wrong("inbox", "in production it would show every code", "set inbox to off, or to force if that is meant")
	}
	if c.Only != All && c.Database.Driver == SQLite {
		wrong("only", "one SQLite file serves one process", "set only to all, or database to postgres://...")
	}
	if c.Listen == c.OpsListen && !anyPort(c.Listen) {
		wrong("ops_listen", "it is the same address as listen", "choose another port")
	}
	if c.Lease <= c.AttemptTimeout {
		wrong("lease", "it is not longer than attempt_timeout, so another process would send the same message again",
			"make it longer than "+shortDuration(c.AttemptTimeout))
	}
	if !c.MailURL.IsZero() && c.MailFrom.Address == "" {
		wrong("mail_from", "mail_url is set and no sender is", "set mail_from to an address the mail server lets you use")
	}
	if c.Production && c.B2CPage {
		wrong("b2c_page", "in production anybody could have messages sent from it", "set b2c_page to false, and call the policies with a key")
	}
	if c.B2CPage && c.B2CPolicies == "" {
		wrong("b2c_policies", "b2c_page is set and there are no policies to show", "set b2c_policies to the folder with the policy files")
	}
	c.checkEntra(wrong)
	c.checkFunction(wrong)
	return problems
}

func (c *Config) checkEntra(wrong func(setting, what, do string)) {
	if c.EntraEnabled() && len(c.EntraAudience) == 0 {
		wrong("entra_audience", "without it a token for any application of the tenant would do",
			"set it to the receiver's application id")
	}
	if !c.EntraEnabled() && len(c.EntraAudience) > 0 {
		wrong("entra_tenant_id", "entra_audience is set and nobody's tokens are accepted", "set entra_tenant_id")
	}
	if c.EntraSubdomain != "" && c.EntraTenantID == "" {
		wrong("entra_tenant_id", "entra_subdomain is set without it", "set entra_tenant_id")
	}
}

// anyPort reports whether the system chooses the port, so that two equal addresses do not collide.
func anyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port == "0"
}
