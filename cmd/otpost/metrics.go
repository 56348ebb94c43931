package main

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics is everything that is counted, in a registry of its own. Its methods are handed to the rooms as plain
// functions, so no room knows Prometheus. Labels take their values from fixed lists, never from what a stranger sends;
// applications and recipients are therefore no labels.
type metrics struct {
	registry *prometheus.Registry

	requests         *prometheus.CounterVec
	requestSeconds   *prometheus.HistogramVec
	issued           *prometheus.CounterVec
	verifications    *prometheus.CounterVec
	refusals         *prometheus.CounterVec
	devices          *prometheus.CounterVec
	attempts         *prometheus.CounterVec
	deliverySeconds  *prometheus.HistogramVec
	deliveries       *prometheus.CounterVec
	entraCalls       *prometheus.CounterVec
	commitGroupSizes prometheus.Histogram
}

// newMetrics returns metrics at zero. waiting tells how many accepted messages wait in this process for a worker.
func newMetrics(waiting func() int) *metrics {
	// An answer is a commit and perhaps a wait for a provider; a delivery is a conversation with one.
	requestBuckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, .8, 1, 2.5, 5, 10}
	deliveryBuckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counters("http_requests_total", "Requests answered, by route, method and status.",
			"route", "method", "status"),
		requestSeconds: histograms("http_request_seconds", "Time from a request's head to its answer's end, by route.",
			requestBuckets, "route"),
		issued: counters("passcodes_issued_total", "Passcodes issued, resent or relayed, by channel and purpose.",
			"channel", "purpose"),
		verifications: counters("verifications_total", "Codes tried, by result: verified or the reason why not.",
			"result"),
		refusals: counters("refusals_total", "Requests the engine refused, by reason.", "reason"),
		devices:  counters("authenticators_total", "Authenticators that were enrolled, confirmed or revoked, by event.", "event"),
		attempts: counters("delivery_attempts_total", "Tries to hand a message to a provider, by provider and class of failure; the class of a success is accepted.",
			"provider", "class"),
		deliverySeconds: histograms("delivery_seconds", "Time one try at a provider took.", deliveryBuckets, "provider"),
		deliveries:      counters("deliveries_total", "Deliveries that reached a state, by state.", "state"),
		entraCalls: counters("entra_calls_total", "Events received from Entra, by what was answered.",
			"answer"),
		commitGroupSizes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "otpost_store_commit_group_size", Help: "Transactions that shared one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
	}
	outboxWaiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "otpost_outbox_waiting", Help: "Accepted messages that wait in this process for a worker.",
	}, func() float64 { return float64(waiting()) })
	m.registry.MustRegister(m.requests, m.requestSeconds, m.issued, m.verifications, m.refusals, m.devices, m.attempts,
		m.deliverySeconds, m.deliveries, m.entraCalls, m.commitGroupSizes, outboxWaiting,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "otpost_" + name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "otpost_" + name, Help: help, Buckets: buckets}, labels)
}

// ObserveRequest counts an answered request. route is the pattern of the route, never the path; empty means that no
// route matched.
func (m *metrics) ObserveRequest(route, method string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Inc()
	m.requestSeconds.WithLabelValues(route).Observe(took.Seconds())
}

// knownMethod keeps a stranger from making up labels.
func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return method
	default:
		return "other"
	}
}

// ObserveIssued counts a message asked for.
func (m *metrics) ObserveIssued(channel, purpose string) {
	m.issued.WithLabelValues(channel, purpose).Inc()
}

// ObserveVerification counts a code that was tried. reason is empty when it was right.
func (m *metrics) ObserveVerification(reason string) {
	if reason == "" {
		reason = "verified"
	}
	m.verifications.WithLabelValues(reason).Inc()
}

// ObserveRefusal counts a request that the engine refused.
func (m *metrics) ObserveRefusal(reason string) { m.refusals.WithLabelValues(reason).Inc() }

// ObserveAttempt counts one try at a provider. class is empty when the provider accepted.
func (m *metrics) ObserveAttempt(provider, class string, took time.Duration) {
	if class == "" {
		class = "accepted"
	}
	m.attempts.WithLabelValues(provider, class).Inc()
	m.deliverySeconds.WithLabelValues(provider).Observe(took.Seconds())
}

// ObserveDelivery counts a delivery that reached a state.
func (m *metrics) ObserveDelivery(state string) { m.deliveries.WithLabelValues(state).Inc() }

// ObserveEntraCall counts an event and what was answered, such as accepted, refused or unauthorized.
func (m *metrics) ObserveEntraCall(answer string) { m.entraCalls.WithLabelValues(answer).Inc() }

// ObserveCommitGroup counts a commit that size transactions shared.
func (m *metrics) ObserveCommitGroup(size int) { m.commitGroupSizes.Observe(float64(size)) }
