package trustframework_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
)

// pack is a chain of ten files with n technical profiles in all, each of which includes a common one, and the last file
// extends a tenth of them.
func pack(n int) fstest.MapFS {
	return chain(10, func(file int) string {
		var body strings.Builder
		if file == 0 {
			body.WriteString(`<TechnicalProfile Id="Common"><Protocol Name="None"/><Metadata><Item Key="Shared">yes</Item></Metadata></TechnicalProfile>`)
		}
		for i := file; i < n; i += 10 {
			fmt.Fprintf(&body, `<TechnicalProfile Id="T%d"><DisplayName>Profile %d</DisplayName><Metadata><Item Key="Operation">GenerateCode</Item><Item Key="CodeLength">6</Item></Metadata>
<InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="identifier"/></InputClaims><OutputClaims><OutputClaim ClaimTypeReferenceId="otp" PartnerClaimType="otpGenerated"/></OutputClaims>
<IncludeTechnicalProfile ReferenceId="Common"/></TechnicalProfile>`, i, i)
		}
		if file == 9 {
			for i := 0; i < n; i += 10 {
				fmt.Fprintf(&body, `<TechnicalProfile Id="t%d"><Metadata><Item Key="CodeLength">8</Item></Metadata></TechnicalProfile>`, i)
			}
		}
		return profiles(body.String())
	})
}

func read(t testing.TB, files fstest.MapFS, n int) {
	set := load(t, files, trustframework.Options{})
	last := set.Policies[len(set.Policies)-1]
	if len(set.Policies) != 10 || len(last.TechnicalProfiles) != n+1 {
		t.Fatalf("read %d policies, the last with %d profiles, want 10 and %d: %v", len(set.Policies), len(last.TechnicalProfiles), n+1, set.Problems[:1])
	}
}

// Ten times as many profiles may cost ten times as much, and a little more for the growth of tables.
func TestLoadingGrowsWithTheNumberOfProfiles(t *testing.T) {
	cost := func(n int) (allocations, bytes float64) {
		files := pack(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read(t, files, n)
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
	}
	small, smallBytes := cost(1000)
	large, largeBytes := cost(10_000)
	if ratio := large / small; ratio > 11 || ratio < 5 {
		t.Errorf("ten times the profiles take %.1f times the allocations", ratio)
	}
	if ratio := largeBytes / smallBytes; ratio > 12 || ratio < 5 {
		t.Errorf("ten times the profiles take %.1f times the memory", ratio)
	}
	t.Logf("10,000 profiles: %.0f allocations, %.1f MB allocated", large, largeBytes/1e6)
}

// BenchmarkLoad measures how long technical profiles take to load, and how much memory they hold then, beside
// encoding/xml reading the same files in the same run and keeping nothing.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1000, 2000, 5000, 10_000} {
		files := pack(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var loading, tokens time.Duration
			for b.Loop() {
				began := time.Now()
				read(b, files, n)
				loaded := time.Now()
				tokenize(b, files)
				loading, tokens = loading+loaded.Sub(began), tokens+time.Since(loaded)
			}
			b.ReportMetric(float64(loading.Milliseconds())/float64(b.N), "ms/load")
			b.ReportMetric(float64(loading)/float64(tokens), "load/xml")
			b.ReportMetric(held(b, files)/1e6, "MB-held")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// tokenize reads files as encoding/xml does.
func tokenize(b *testing.B, files fstest.MapFS) {
	for _, f := range files {
		in := xml.NewDecoder(bytes.NewReader(f.Data))
		for {
			if _, err := in.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// held is how many bytes loaded policies keep from being collected.
func held(b *testing.B, files fstest.MapFS) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	set := load(b, files, trustframework.Options{})
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(set)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

// Many small policies on one large base must not hold it many times.
func TestPoliciesThatChangeNothingAddNothing(t *testing.T) {
	cost := func(policies int) float64 {
		files := fstest.MapFS{"base.xml": {Data: []byte(policy("Base", "", texts(2000)))}}
		for i := range policies {
			files[fmt.Sprintf("p%d.xml", i)] = &fstest.MapFile{Data: []byte(policy(fmt.Sprintf("P%d", i), "Base", ""))}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		set := load(t, files, trustframework.Options{})
		runtime.ReadMemStats(&after)
		if len(set.Policies) != policies+1 || len(set.Policies[1].Localization.Resources[0].Strings) != 2000 {
			t.Fatalf("read %d policies, with %v", len(set.Policies), set.Problems)
		}
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	one, many := cost(1), cost(100)
	if many > 3*one {
		t.Errorf("a hundred policies take %.1f times the memory of one", many/one)
	}
}

// texts are n localised strings.
func texts(n int) string {
	var body strings.Builder
	body.WriteString(`<BuildingBlocks><Localization Enabled="true"><LocalizedResources Id="en"><LocalizedStrings>`)
	for i := range n {
		fmt.Fprintf(&body, `<LocalizedString ElementType="UxElement" StringId="s%d">Text</LocalizedString>`, i)
	}
	body.WriteString(`</LocalizedStrings></LocalizedResources></Localization></BuildingBlocks>`)
	return body.String()
}
