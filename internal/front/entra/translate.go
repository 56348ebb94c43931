package entra

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/passcode"
)

// Bounds of what is taken over from an event.
const (
	minCode = 4
	maxCode = 32
	maxName = 100
)

// bucket is the span within which events without a correlation id count as one when recipient and code are the same.
// Entra's retry comes within seconds. Two spans meet somewhere, so a retry may rarely fall into the next one and mail
// twice; without spans an old code that is drawn again would never be mailed, which is worse.
const bucket = 10 * time.Minute

// checkEvent refuses what no engine needs to see, and trims the code, so that no white space makes it another one.
func checkEvent(e *extension.Event) *problem {
	e.Code = strings.TrimSpace(e.Code)
	if len(e.Code) < minCode || len(e.Code) > maxCode || strings.ContainsFunc(e.Code, notAlphanumeric) {
		return &problem{kind: invalidCode, detail: "data.otpContext.oneTimeCode must be 4 to 32 ASCII letters and digits."}
	}
	return nil
}

func notAlphanumeric(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// translate says in the engine's words what an event asks for.
func (h *Handler) translate(e extension.Event, arrived time.Time, budget time.Duration) passcode.Relay {
	application := passcode.Application{ID: e.Application.AppID, Name: e.Application.Name()}
	if h.Application != nil {
		application = h.Application(e)
	}
	application.ID, application.Name = oneLine(application.ID), oneLine(application.Name)
	locale := e.Client.Locale
	if locale == "" {
		locale = e.Client.Market
	}
	return passcode.Relay{
		Tenant:       h.Tenant,
		Application:  application,
		To:           strings.TrimSpace(e.Identifier),
		Code:         e.Code,
		Purpose:      purpose(e.RequestType),
		Locale:       oneLine(locale),
		IP:           address(e.Client.IP),
		Lifetime:     orDefault(h.Lifetime, DefaultLifetime),
		Dedup:        dedup(&e, arrived),
		AnswerBy:     arrived.Add(budget),
		KeepFallback: h.AnswerUnknown == http.StatusServiceUnavailable,
	}
}

// purpose reads requestType in any case. What is not one of the known values, or empty, becomes Verify, whose message
// claims nothing. Native authentication says signIn whatever the person is doing; nothing in the event tells it apart.
func purpose(requestType string) passcode.Purpose {
	switch {
	case strings.EqualFold(requestType, "signUp"):
		return passcode.SignUp
	case strings.EqualFold(requestType, "signIn"):
		return passcode.SignIn
	case strings.EqualFold(requestType, "passwordReset"):
		return passcode.PasswordReset
	}
	return passcode.Verify
}

// dedup are the values that Entra's retry repeats: tenant, correlation id and recipient. They are folded first, so
// that no spelling makes a retry a new event. An event without a correlation id is recognised by the time instead.
func dedup(e *extension.Event, arrived time.Time) []string {
	correlation := fold(e.CorrelationID)
	if correlation == "" {
		correlation = "at:" + strconv.FormatInt(arrived.Truncate(bucket).Unix(), 10)
	}
	return []string{fold(e.TenantID), correlation, fold(e.Identifier)}
}

func fold(s string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(s)))
}

// address is the end user's address without port and zone, empty when it is none. It comes from the event alone: the
// request's own address, and whatever proxies wrote into its headers, is Entra's.
func address(s string) string {
	s = strings.TrimSpace(s)
	ip, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return ""
		}
		ip = withPort.Addr()
	}
	return ip.Unmap().WithZone("").String()
}

// oneLine drops control and formatting characters and cuts after a hundred characters: names and ids come from the
// tenant's own portal, but they end up in a row and a subject.
func oneLine(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s))
	n := 0
	for i := range s {
		if n == maxName {
			return s[:i]
		}
		n++
	}
	return s
}
