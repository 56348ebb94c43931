package trustframework_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/packs"
)

func TestPublicPacks(t *testing.T) {
	least := map[string]int{packs.Samples: 250, packs.UnitTests: 110, packs.Starter: 50}
	for _, p := range packs.Read(t) {
		t.Run(p.Name, func(t *testing.T) { checkPack(t, p.Files, p.Load(t), least[p.Name]) })
	}
}

// checkPack holds that each file is a policy or refused with its reason, and little of a published policy is broken.
func checkPack(t *testing.T, files fstest.MapFS, set *trustframework.Set, least int) {
	t.Helper()
	told, profiles := map[string]bool{}, 0
	for _, p := range set.Policies {
		told[p.At.File] = true
		profiles += len(p.TechnicalProfiles)
	}
	if len(told) < least {
		t.Errorf("%d policies were read, want at least %d", len(told), least)
	}
	weights := map[trustframework.Weight]int{}
	for _, p := range set.Problems {
		weights[p.Weight]++
		switch p.Weight {
		case trustframework.Refused:
			told[p.At.File] = true
		case trustframework.Broken:
			// Two of the samples have elements where B2C's schema has no place for them.
			if !strings.Contains(p.Reason, "where the schema has no place for it") {
				t.Error(p)
			}
		}
	}
	for name := range files {
		if !told[name] {
			t.Errorf("%s is neither read nor refused", name)
		}
	}
	t.Logf("%d files: %d policies with %d technical profiles, %d refused, %d broken, %d odd", len(files), len(set.Policies), profiles,
		weights[trustframework.Refused], weights[trustframework.Broken], weights[trustframework.Odd])
}
