package extension_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/extension"
)

const (
	tenantID = "7c1d2f10-0000-4000-8000-0000000000aa"
	appID    = "5b3e9a44-0000-4000-8000-0000000000bb"
)

// BenchmarkVerify compares a token seen for the first time with one that is presented again.
func BenchmarkVerify(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	issuer, err := extension.NewIssuer("https://issuer.example", tenantID, key, nil)
	if err != nil {
		b.Fatal(err)
	}
	trust := extension.Trust{Audiences: extension.Audiences(appID), Tenants: []string{tenantID},
		Issuers: []extension.TrustedIssuer{issuer.Trusted(extension.V2)}}
	token, err := issuer.Mint(extension.Grant{Audience: appID})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			v, err := extension.NewVerifier(trust)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := v.Verify(context.Background(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		v, err := extension.NewVerifier(trust)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := v.Verify(context.Background(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := extension.Event{Source: "/tenants/" + tenantID + "/applications/" + appID, TenantID: tenantID,
		ListenerID: tenantID, ExtensionID: tenantID, Identifier: "lea@example.org", Code: "40718265",
		CorrelationID: tenantID, Client: extension.Client{IP: "203.0.113.9", Locale: "fr-fr", Market: "fr-fr"},
		Protocol: "OAUTH2.0", RequestType: "signUp",
		Application: extension.ServicePrincipal{ID: tenantID, AppID: appID, AppDisplayName: "Boutique", DisplayName: strings.Repeat("B", 20)},
	}.Encode(extension.OneTimeCode)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := extension.Decode(body, 16); err != nil {
			b.Fatal(err)
		}
	}
}
