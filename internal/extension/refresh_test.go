package extension_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/bubble"
)

func TestRunLoadsAndRefreshesKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer, err := extension.NewIssuer("http://127.0.0.1", tenantID, newKey(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var fetches atomic.Int64
		var up atomic.Bool
		client := bubble.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !up.Load() {
				fetches.Add(1)
				w.WriteHeader(503)
				return
			}
			if r.URL.String() == issuer.Metadata(extension.V2)[len("http://127.0.0.1"):] {
				fetches.Add(1)
			}
			issuer.ServeHTTP(w, r)
		}))
		v, err := extension.NewVerifier(extension.Trust{Audiences: extension.Audiences(appID), Tenants: []string{tenantID},
			Issuers:       []extension.TrustedIssuer{{Issuer: issuer.Name(extension.V2), Metadata: issuer.Metadata(extension.V2)}},
			AllowLoopback: true, Client: client})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.Run(ctx); close(done) }()

		at := func(d time.Duration, wantFetches int64, wantReady bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if fetches.Load() != wantFetches || (v.Ready() == nil) != wantReady {
				t.Errorf("%d fetches, ready: %v; want %d, %v", fetches.Load(), v.Ready(), wantFetches, wantReady)
			}
		}
		at(0, 1, false)
		at(time.Second, 2, false)
		at(2*time.Second, 3, false)
		up.Store(true)
		at(4*time.Second, 4, true)
		at(extension.DefaultRefresh-time.Second, 4, true)
		at(time.Second, 5, true)
		cancel()
		<-done
	})
}
