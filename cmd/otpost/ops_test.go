package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// observed returns metrics on which every method was called once.
func observed() *metrics {
	m := newMetrics(func() int { return 7 })
	m.ObserveRequest("POST /v1/passcodes", "POST", 201, 30*time.Millisecond)
	m.ObserveIssued("email", "verify")
	m.ObserveVerification("")
	m.ObserveVerification("wrong_code")
	m.ObserveRefusal("limit_reached")
	m.ObserveAttempt("environment", "", time.Second)
	m.ObserveAttempt("environment", "transient", time.Second)
	m.ObserveDelivery("accepted")
	m.ObserveEntraCall("accepted")
	m.ObserveCommitGroup(12)
	return m
}

func TestMetricsOnTheOperationsListener(t *testing.T) {
	server := httptest.NewServer(opsHandler(observed().registry, text("alive"), text("ready"), false))
	defer server.Close()
	body := get(t, server.URL+"/metrics", http.StatusOK)
	for _, want := range []string{
		`otpost_http_requests_total{method="POST",route="POST /v1/passcodes",status="201"} 1`,
		`otpost_http_request_seconds_bucket{route="POST /v1/passcodes",le="0.05"} 1`,
		`otpost_http_request_seconds_bucket{route="POST /v1/passcodes",le="0.025"} 0`,
		`otpost_passcodes_issued_total{channel="email",purpose="verify"} 1`,
		`otpost_verifications_total{result="verified"} 1`,
		`otpost_verifications_total{result="wrong_code"} 1`,
		`otpost_refusals_total{reason="limit_reached"} 1`,
		`otpost_delivery_attempts_total{class="accepted",provider="environment"} 1`,
		`otpost_delivery_attempts_total{class="transient",provider="environment"} 1`,
		`otpost_delivery_seconds_count{provider="environment"} 2`,
		`otpost_deliveries_total{state="accepted"} 1`,
		`otpost_entra_calls_total{answer="accepted"} 1`,
		`otpost_outbox_waiting 7`,
		`otpost_store_commit_group_size_bucket{le="16"} 1`,
		`go_goroutines `, `process_resident_memory_bytes `,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^# HELP otpost_\w+ .*$`).FindAllString(body, -1) {
		if !strings.HasSuffix(line, ".") {
			t.Errorf("not a sentence: %s", line)
		}
	}
}

func TestMetricsFollowTheConventions(t *testing.T) {
	problems, err := testutil.GatherAndLint(observed().registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("got %v, %v", problems, err)
	}
}

func TestStrangersMakeNoLabels(t *testing.T) {
	m := newMetrics(func() int { return 0 })
	for _, method := range []string{"BREW", "X1", "X2"} {
		m.ObserveRequest("", method, 405, 0)
	}
	if n := testutil.CollectAndCount(m.requests); n != 1 {
		t.Errorf("%d series, want 1", n)
	}
}

func TestOperationsListener(t *testing.T) {
	for _, profiles := range []bool{false, true} {
		server := httptest.NewServer(opsHandler(newMetrics(func() int { return 0 }).registry, text("alive"), text("ready"), profiles))
		defer server.Close()
		if got := get(t, server.URL+"/healthz", http.StatusOK); got != "alive" {
			t.Errorf("healthz is %q", got)
		}
		if got := get(t, server.URL+"/readyz", http.StatusOK); got != "ready" {
			t.Errorf("readyz is %q", got)
		}
		want := http.StatusNotFound
		if profiles {
			want = http.StatusOK
		}
		get(t, server.URL+"/debug/pprof/", want)
		get(t, server.URL+"/debug/pprof/heap", want)
		get(t, server.URL+"/debug/pprof/cmdline", http.StatusNotFound)
	}
}

func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) })
}

func get(t *testing.T, url string, status int) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Errorf("%s: status %d, want %d", url, response.StatusCode, status)
	}
	return string(body)
}
