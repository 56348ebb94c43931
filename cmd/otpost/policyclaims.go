package main

import (
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/review"
)

// account is the one that there is, nil if none.
func (c *policyRunCommand) account() (map[string]any, error) {
	var found map[string]any
	for _, entry := range c.Account {
		name, value, cut := strings.Cut(entry, "=")
		if !cut {
			return nil, usageErrorf("--account %q has no value: write NAME=VALUE", entry)
		}
		if found == nil {
			found = map[string]any{}
		}
		found[name] = value
	}
	return found, nil
}

// claimsOf reads claims in the types that the policy gives them.
func claimsOf(p *trustframework.Policy, given []string) (*claim.Bag, error) {
	var names []string
	values := map[string][]string{}
	for _, entry := range given {
		name, value, found := strings.Cut(entry, "=")
		if !found {
			return nil, usageErrorf("--claim %q has no value: write NAME=VALUE", entry)
		}
		declared, there := p.Claim(name)
		if !there {
			return nil, &exitError{exitUsage, review.NoClaim(p, name)}
		}
		if values[declared.ID] == nil {
			names = append(names, declared.ID)
		}
		values[declared.ID] = append(values[declared.ID], value)
	}
	bag := &claim.Bag{}
	for _, name := range names {
		declared, _ := p.Claim(name)
		v, err := typedClaim(claim.TypeOf(declared.DataType), values[name])
		if err != nil {
			return nil, usageErrorf("the claim %s %w", name, err)
		}
		bag.Set(name, v)
	}
	return bag, nil
}

// typedClaim is a value of a type. Several texts are a list, which only a collection can be.
func typedClaim(t claim.Type, values []string) (claim.Value, error) {
	if t == claim.StringCollection {
		return claim.List(values...), nil
	}
	if len(values) != 1 {
		return claim.Value{}, fmt.Errorf("is given %d times, and is a %s", len(values), t)
	}
	return claim.Parse(t, values[0])
}
