package rest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// liveCode is in every place of the stub's answers where the engine's could hold a code.
const liveCode = "482913"

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// stub is an engine that answers by a plan, one line for each call, and notes what it was asked.
//
//	pending delivery=accepted replayed
//	verified
//	wrong_code tries=2
//	refuse limit_reached limit=identifier retry=90s
//	error dial tcp: refused
type stub struct {
	mu    sync.Mutex
	plan  []string
	asked []string
}

// next takes the next line of the plan apart.
func (s *stub) next(format string, args ...any) (first string, words map[string]string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
	line := "pending"
	if len(s.plan) > 0 {
		line, s.plan = s.plan[0], s.plan[1:]
	}
	parts := strings.Fields(line)
	words = map[string]string{}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		words[key] = value
	}
	switch parts[0] {
	case "refuse":
		refusal := &passcode.Refusal{Reason: passcode.Reason(parts[1]), Field: words["field"], Limit: words["limit"],
			Detail: strings.ReplaceAll(words["detail"], "_", " ")}
		if retry, err := time.ParseDuration(words["retry"]); err == nil {
			refusal.RetryAt = noon().Add(retry)
		}
		refusal.State = passcode.State(words["state"])
		return "", nil, refusal
	case "error":
		return "", nil, errors.New(strings.Join(parts[1:], " "))
	}
	return parts[0], words, nil
}

func challenge(state string, words map[string]string) passcode.Challenge {
	c := passcode.Challenge{ID: "pc_1", Tenant: "t1", Application: "app_1", Channel: outbox.Email,
		To: "Ada@example.com", Identifier: "ada@example.com", Mailbox: "ada@example.com", Purpose: passcode.SignIn,
		State: passcode.State(state), CodeHash: []byte(liveCode), CodeSealed: []byte(liveCode),
		Policy: passcode.DefaultPolicy(), Sends: 1, Locale: "fr-CA", Metadata: map[string]string{"order": "A-17"},
		CreatedAt: noon(), SentAt: noon(), ExpiresAt: noon().Add(10 * time.Minute)}
	fmt.Sscan(words["tries"], &c.Tries)
	fmt.Sscan(words["sends"], &c.Sends)
	if words["overdue"] != "" {
		c.ExpiresAt = noon().Add(-time.Minute)
		c.CreatedAt, c.SentAt = noon().Add(-11*time.Minute), noon().Add(-11*time.Minute)
	}
	if c.State != passcode.Pending {
		c.EndedAt = noon().Add(time.Minute)
	}
	return c
}

func delivery(words map[string]string) outbox.Delivery {
	d := outbox.Delivery{ID: "dl_1", Tenant: "t1", Challenge: "pc_1", Channel: outbox.Email, To: "Ada@example.com",
		State: outbox.Sending, CreatedAt: noon(), Message: &outbox.Message{Code: liveCode, Text: liveCode, Subject: liveCode}}
	if state := words["delivery"]; state != "" {
		d.State, d.Tries = outbox.State(state), 1
		d.EndedAt = noon().Add(2 * time.Second)
	}
	if d.State == outbox.Accepted || d.State == outbox.Delivered || d.State == outbox.Bounced {
		d.Provider, d.Ref = "environment", "<1@mail.example>"
	}
	return d
}

func (s *stub) Issue(_ context.Context, r passcode.Request, wait time.Duration) (passcode.Issued, error) {
	pairs := []string{}
	for k, v := range r.Metadata {
		pairs = append(pairs, k+"="+v)
	}
	slices.Sort(pairs)
	state, words, err := s.next("Issue tenant=%s application=%s,%s,%s scope=%q to=%q channel=%s purpose=%s locale=%q policy=%q ip=%s metadata=%q key=%q fingerprint=%.4x wait=%v",
		r.Tenant, r.Application.ID, r.Application.Name, r.Application.Domain, r.Scope, r.To, r.Channel, r.Purpose, r.Locale,
		r.Policy, r.IP, pairs, r.IdempotencyKey, r.Fingerprint, wait)
	if err != nil {
		return passcode.Issued{}, err
	}
	_, replayed := words["replayed"]
	return passcode.Issued{Challenge: challenge(state, words), Delivery: delivery(words), Replayed: replayed}, nil
}

func (s *stub) Resend(_ context.Context, ref passcode.Ref, _ passcode.Application, ip string, wait time.Duration) (passcode.Issued, error) {
	state, words, err := s.next("Resend %s ip=%s wait=%v", shown(ref), ip, wait)
	if err != nil {
		return passcode.Issued{}, err
	}
	return passcode.Issued{Challenge: challenge(state, words), Delivery: delivery(words)}, nil
}

func (s *stub) Verify(_ context.Context, ref passcode.Ref, code string) (passcode.Verdict, error) {
	reason, words, err := s.next("Verify %s code=%q", shown(ref), code)
	if err != nil {
		return passcode.Verdict{}, err
	}
	v := passcode.Verdict{Reason: passcode.Reason(reason)}
	state := map[string]string{"wrong_code": "pending", "throttled": "pending", "used": "verified"}[reason]
	if state == "" {
		state = reason
	}
	if reason == "verified" {
		v.Verified, v.Reason = true, ""
	}
	if retry, err := time.ParseDuration(words["retry"]); err == nil {
		v.RetryAt = noon().Add(retry)
	}
	v.Challenge = challenge(state, words)
	v.TriesLeft = v.Challenge.TriesLeft()
	return v, nil
}

func (s *stub) Cancel(_ context.Context, ref passcode.Ref) (passcode.Challenge, error) {
	state, words, err := s.next("Cancel %s", shown(ref))
	if err != nil {
		return passcode.Challenge{}, err
	}
	return challenge(state, words), nil
}

func (s *stub) Status(_ context.Context, ref passcode.Ref) (passcode.Timeline, error) {
	state, words, err := s.next("Status %s", shown(ref))
	if err != nil {
		return passcode.Timeline{}, err
	}
	t := passcode.Timeline{Challenge: challenge(state, words)}
	if words["notes"] != "" {
		t.Notes = []passcode.Note{
			{Kind: passcode.Limited, At: noon().Add(10 * time.Second), Reason: passcode.TooSoon},
			{Kind: passcode.Tried, At: noon().Add(20 * time.Second), Reason: passcode.WrongCode},
			{Kind: passcode.Limited, At: noon().Add(40 * time.Second), Reason: passcode.LimitReached, Limit: "identifier"},
		}
	}
	if words["delivery"] == "" {
		return t, nil
	}
	if report := outbox.Report(words["delivery"]); report == outbox.ReportDelivered || report == outbox.ReportBounced {
		// The vendor knows whole seconds, so that its time is before its own acceptance.
		r := outbox.Receipt{Event: "e1", Ref: "<1@mail.example>", Delivery: "dl_1", Report: report, At: noon().Add(time.Second)}
		if report == outbox.ReportBounced {
			r.Class, r.Code, r.Detail = outbox.InvalidRecipient, "550 5.1.1", "no such user"
		}
		t.Reports = []outbox.Reported{{Provider: "environment", Receipt: r, ReceivedAt: noon().Add(3 * time.Second)}}
	}
	t.Deliveries = []outbox.Delivery{delivery(words)}
	t.Attempts = []outbox.Attempt{
		{Delivery: "dl_1", N: 1, Provider: "first", At: noon().Add(100 * time.Millisecond), Took: 1500 * time.Microsecond,
			Class: outbox.Throttled, Code: "451 4.7.1", Detail: "try again later"},
		{Delivery: "dl_1", N: 2, Provider: "environment", At: noon().Add(time.Second), Took: 20 * time.Millisecond,
			Code: "250", Ref: "<1@mail.example>"},
	}
	return t, nil
}

func (s *stub) Relay(context.Context, passcode.Relay) (passcode.Relayed, error) {
	return passcode.Relayed{}, errors.New("this door never relays")
}

// keys knows two applications in two tenants.
type keys struct{}

func (keys) Authenticate(_ context.Context, token string) (access.Caller, error) {
	switch token {
	case "key-1":
		return access.Caller{Application: access.Application{ID: "app_1", Tenant: "t1", Name: "Shop", Domain: "shop.example"}}, nil
	case "key-2":
		return access.Caller{Application: access.Application{ID: "app_2", Tenant: "t2", Name: "Bank"}}, nil
	}
	return access.Caller{}, access.ErrNoAccess
}

// shown is a Ref as the recordings have it. REST finds nothing by a key, so one that is set shows.
func shown(ref passcode.Ref) string {
	text := fmt.Sprintf("{Tenant:%s ID:%s Scope:%s Purpose:%s To:%s}", ref.Tenant, ref.ID, ref.Scope, ref.Purpose, ref.To)
	if ref.Key != "" {
		text += " by a key"
	}
	return text
}
