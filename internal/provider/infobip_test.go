package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var infobipContract = published.Operation{File: "infobip_sms_v3_trim.json", Path: "/sms/3/messages"}

func infobipSettings(more ...string) map[string]string {
	s := map[string]string{"api_key": "Infobip-Key-123456", "from": "Contoso", "receipt_url": reportsURL, "receipt_secret": "Path-Secret-1"}
	for i := 0; i < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return s
}

func TestInfobip(t *testing.T) {
	sitExam(t, candidate{
		kind:     "infobip",
		settings: infobipSettings(),
		message:  shortMessage(),
		path:     "/sms/3/messages",
		contract: &infobipContract,
		check: func(r *http.Request, body []byte) error {
			want := `{"messages":[{"sender":"Contoso","destinations":[{"to":"34600111222","messageId":"` + deliveryID + `"}],` +
				`"content":{"text":"Your Contoso code is 482913. J\u00fcrgen & co"},"options":{"validityPeriod":{"amount":600,"timeUnit":"SECONDS"}},` +
				`"webhooks":{"delivery":{"url":"` + reportsURL + `/Path-Secret-1"},"contentType":"application/json","callbackData":"` + deliveryID + `"}}],` +
				`"options":{"tracking":{"shortenUrl":false,"trackClicks":false}}}`
			switch {
			case r.Header.Get("Authorization") != "App Infobip-Key-123456":
				return errors.New("E401")
			case r.Header.Get("Content-Type") != "application/json":
				return errors.New("not JSON")
			case !sameJSON(string(body), want):
				return fmt.Errorf("want %s", want)
			}
			return nil
		},
		accepted:     infobipAnswer("PENDING", 26, "PENDING_ACCEPTED", ""),
		ref:          deliveryID,
		throttled:    infobipError(429, "E429", "", outbox.Throttled),
		badRecipient: infobipAnswer("REJECTED", 52, "REJECTED_DESTINATION", outbox.InvalidRecipient),
		badCredentials: answer{status: 401, body: `{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Invalid login details Infobip-Key-123456"}}}`,
			class: outbox.Account, code: "401 UNAUTHORIZED"},
		quota: infobipAnswer("REJECTED", 12, "REJECTED_NOT_ENOUGH_CREDITS", outbox.Quota),
		down:  answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"network":             infobipAnswer("REJECTED", 6, "REJECTED_NETWORK", outbox.GeoBlocked),
			"prefix":              infobipAnswer("REJECTED", 8, "REJECTED_PREFIX_MISSING", outbox.InvalidRecipient),
			"do not disturb":      infobipAnswer("REJECTED", 10, "REJECTED_DND", outbox.Suppressed),
			"sender":              infobipAnswer("REJECTED", 11, "REJECTED_SOURCE", outbox.Account),
			"blocked":             infobipAnswer("REJECTED", 14, "REJECTED_DESTINATION_BLOCKLISTED", outbox.Suppressed),
			"package expired":     infobipAnswer("REJECTED", 17, "REJECTED_PREPAID_PACKAGE_EXPIRED", outbox.Quota),
			"trial":               infobipAnswer("REJECTED", 18, "REJECTED_DESTINATION_NOT_REGISTERED", outbox.Account),
			"flooding":            infobipAnswer("REJECTED", 20, "REJECTED_FLOODING_FILTER", outbox.Throttled),
			"system error":        infobipAnswer("REJECTED", 21, "REJECTED_SYSTEM_ERROR", outbox.Transient),
			"the same id again":   infobipAnswer("REJECTED", 23, "REJECTED_DUPLICATE_MESSAGE_ID", outbox.Ambiguous),
			"too long":            infobipAnswer("REJECTED", 25, "REJECTED_MESSAGE_TOO_LONG", outbox.RejectedContent),
			"not delivered":       infobipAnswer("UNDELIVERABLE", 4, "UNDELIVERABLE_REJECTED_OPERATOR", outbox.Transient),
			"a word of tomorrow":  {status: 200, body: `{"messages":[{"messageId":"a","status":{"groupName":"PONDERED"}}]}`, class: outbox.Ambiguous, code: "200"},
			"no message":          {status: 200, body: `{"messages":[]}`, class: outbox.Ambiguous, code: "200"},
			"not JSON":            {status: 200, body: `<html>`, class: outbox.Ambiguous, code: "200"},
			"recipient violation": infobipError(400, "E400", "messages[0].destinations[0].to", outbox.InvalidRecipient),
			"sender violation":    infobipError(400, "E400", "messages[0].sender", outbox.Account),
			"other violation":     infobipError(400, "E400", "messages[0].content.text", outbox.RejectedContent),
			"forbidden":           infobipError(403, "E403", "", outbox.Account),
			"server error":        infobipError(500, "E500", "", outbox.Transient),
		},
		hides:   true,
		private: []string{"Infobip-Key-123456", "Path-Secret-1", "34600111222"},
	})
}

func infobipAnswer(group string, id int, name string, class outbox.Class) answer {
	a := map[string]any{"bulkId": "b1", "messages": []any{map[string]any{"messageId": deliveryID, "destination": "34600111222",
		"status": map[string]any{"groupId": 1, "groupName": group, "id": id, "name": name, "description": "no {to} 34600111222 {code} Infobip-Key-123456"}}}}
	body, _ := json.Marshal(a)
	return answer{status: 200, body: string(body), class: class, code: fmt.Sprint(id, " ", name)}
}

func infobipError(status int, code, property string, class outbox.Class) answer {
	e := map[string]any{"errorCode": code, "description": "no {to} {code}", "action": "see", "violations": []any{}, "resources": []any{}}
	if property != "" {
		e["violations"] = []any{map[string]string{"property": property, "violation": "34600111222 is invalid"}}
	}
	body, _ := json.Marshal(e)
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	ax, _ := json.Marshal(x)
	bx, _ := json.Marshal(y)
	return string(ax) == string(bx)
}

func TestInfobipSettings(t *testing.T) {
	refusesSettings(t, "infobip", infobipSettings("endpoint", "https://xxxxx.api.infobip.com"), []wrongSetting{
		{nil, ""},
		{map[string]string{"endpoint": ""}, "endpoint is missing"},
		{map[string]string{"endpoint": "xxxxx.api.infobip.com"}, "setting endpoint"},
		{map[string]string{"from": "+1 500"}, "setting from"},
		{map[string]string{"validity": "500ms"}, "validity"},
		{map[string]string{"validity": "49h"}, "validity"},
		{map[string]string{"receipt_url": "https://[fd00::1]/receipts"}, "receipt_url"},
		{map[string]string{"receipt_secret": ""}, "receipt_secret is missing"},
		{map[string]string{"receipt_secret": "", "receipt_url": ""}, ""},
	})
}

func TestInfobipAsksForNoReportsWithoutAURL(t *testing.T) {
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Messages []map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) != 1 || body.Messages[0]["webhooks"] != nil {
			t.Errorf("got %v, %v", body, err)
		}
		fmt.Fprint(w, infobipAnswer("PENDING", 26, "PENDING_ACCEPTED", "").body)
	})
	settings := infobipSettings("receipt_url", "", "endpoint", url, "allow_http", "true", "allow_private", "true")
	if _, err := openKind(t, "infobip", settings, provider.Environment{}).Send(t.Context(), deliveryID, shortMessage()); err != nil {
		t.Error(err)
	}
}

func TestInfobipReceipts(t *testing.T) {
	result := func(group string, id, failure int, name string) string {
		return fmt.Sprintf(`{"bulkId":"b1","messageId":%q,"to":"34600111222","sentAt":"2026-11-22T09:59:50.000+0000","doneAt":"2026-11-22T10:59:58.250+0100","smsCount":1,`+
			`"callbackData":%q,"price":{"pricePerMessage":0.01,"currency":"EUR"},"status":{"groupId":1,"groupName":%q,"id":%d,"name":"X","description":"34600111222"},`+
			`"error":{"groupId":1,"groupName":"HANDSET_ERRORS","id":%d,"name":%q,"description":"","permanent":true}}`, deliveryID, deliveryID, group, id, failure, name)
	}
	of := func(results ...string) string { return `{"results":[` + strings.Join(results, ",") + `]}` }
	at := time.Date(2026, 11, 22, 9, 59, 58, 250e6, time.UTC)
	receipt := func(r outbox.Report, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Ref: deliveryID, Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}
	}
	delivered := receipt(outbox.ReportDelivered, "", "")
	bounced := func(class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{receipt(outbox.ReportBounced, class, code)}
	}
	sitReceipts(t, reports{
		kind:     "infobip",
		settings: infobipSettings("endpoint", "https://xxxxx.api.infobip.com"),
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: reportsURL, Method: "POST", Secret: "Path-Secret-1", Body: []byte(body),
				Header: http.Header{"Content-Type": {"application/json"}}}
		},
		tell: []report{
			{"delivered", of(result("DELIVERED", 5, 0, "NO_ERROR")), []outbox.Receipt{delivered}},
			{"several", of(result("DELIVERED", 5, 0, "NO_ERROR"), result("PENDING", 7, 0, "NO_ERROR"), result("UNDELIVERABLE", 9, 1, "EC_UNKNOWN_SUBSCRIBER")),
				append([]outbox.Receipt{delivered}, bounced(outbox.InvalidRecipient, "9 1")...)},
			{"to the operator", of(result("DELIVERED", 2, 0, "NO_ERROR")), nil},
			{"absent", of(result("UNDELIVERABLE", 9, 27, "EC_ABSENT_SUBSCRIBER")), bounced(outbox.Transient, "9 27")},
			{"blocked by the person", of(result("UNDELIVERABLE", 4, 573, "EC_SC_BLOCKED_BY_END_USER")), bounced(outbox.Suppressed, "4 573")},
			{"expired", of(result("EXPIRED", 15, 0, "NO_ERROR")), bounced(outbox.Transient, "15")},
			{"blocked", of(result("REJECTED", 14, 0, "NO_ERROR")), bounced(outbox.Suppressed, "14")},
			{"duplicate", of(result("REJECTED", 23, 0, "NO_ERROR")), bounced(outbox.Transient, "23")},
			{"none", of(), nil},
		},
		forge: map[string]func(*provider.Posted){
			"other secret":    func(p *provider.Posted) { p.Secret = "Path-Secret-2" },
			"half the secret": func(p *provider.Posted) { p.Secret = "Path-Secret-" },
		},
	})
}

func TestInfobipCheck(t *testing.T) {
	says := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/account/1/balance" || r.Header.Get("Authorization") != "App Infobip-Key-123456" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, body)
		}
	}
	good := provider.Finding{Subject: "credentials", Verdict: provider.Good}
	finds(t, "infobip", infobipSettings(), says(`{"balance":47.79134,"currency":"EUR"}`), good, provider.Finding{Subject: "balance", Verdict: provider.Good, Found: "47.79 EUR"})
	finds(t, "infobip", infobipSettings(), says(`{"balance":0.5,"currency":"EUR"}`), good, provider.Finding{Subject: "balance", Verdict: provider.Doubtful, Found: "0.50 EUR"})
	finds(t, "infobip", infobipSettings(), says(`[]`), good)
	finds(t, "infobip", infobipSettings("api_key", "wrong"), says(`{}`), provider.Finding{Subject: "credentials", Verdict: provider.Bad, Found: "401"})
}
