package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// bounced sends a passcode by the customer's webhook and has it reported that nobody is there.
func (c *terminalOn) bounced(t *testing.T, secret []byte, to string) {
	t.Helper()
	var made struct{ ID string }
	if w := c.call(t, "POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q,"wait_ms":10000}`, to), &made); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	line, err := c.engine.Status(t.Context(), passcode.Ref{Tenant: tenant, ID: made.ID})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.report(secret, "e"+made.ID, line.Deliveries[0].ID, "bounced", "invalid_recipient"); got != http.StatusOK {
		t.Fatalf("the report for %s is answered %d", to, got)
	}
}

// TestASuppressedRecipientIsSentToAgain follows recipients from a bounce over the list to the next message.
func TestASuppressedRecipientIsSentToAgain(t *testing.T) {
	secret := []byte(strings.Repeat("k", 24))
	c := newTerminal(t, adminKey)
	c.subscribe(t, startCustomer(t, secret), secret)
	var routes []registry.Change
	for _, channel := range []outbox.Channel{outbox.Email, outbox.SMS} {
		routes = append(routes, registry.Change{Kind: registry.RouteKind, Name: string(channel),
			Body: jsonOf(t, map[string]any{"channel": channel, "providers": []map[string]any{{"provider": "customer"}}})})
	}
	if _, err := c.registry.Apply(t.Context(), "test", routes); err != nil {
		t.Fatal(err)
	}
	c.want(t, 0, `{"suppressions":[]}`, "", "suppression", "list", "--output", "json")
	for _, to := range []string{"tom@example.org", "+33612345678", "Lea@example.org", "ada@example.org", "+4915112345678"} {
		c.bounced(t, secret, to)
	}
	recipients := func(args ...string) string {
		_, table, _ := c.run(t, "", append([]string{"suppression", "list"}, args...)...)
		var found []string
		for line := range strings.Lines(table) {
			found = append(found, strings.Fields(line)[0])
		}
		return strings.Join(found[1:], " ")
	}
	for args, want := range map[string]string{
		"":                              "ada@example.org lea@example.org tom@example.org +33612345678 +4915112345678",
		"--limit 4":                     "ada@example.org lea@example.org tom@example.org +33612345678",
		"--channel sms":                 "+33612345678 +4915112345678",
		"--recipient LEA@example.org":   "lea@example.org",
		"--recipient someone@there.org": "",
	} {
		if got := recipients(strings.Fields(args)...); got != want {
			t.Errorf("%q lists %s, want %s", args, got, want)
		}
	}
	refused := func(to string) bool {
		return c.do(c.request("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, to))).Code == http.StatusUnprocessableEntity
	}
	if !refused("lea@example.org") || !refused("+33 6 12 34 56 78") {
		t.Error("who bounced is sent to")
	}
	c.want(t, 0, "LEA@example.org is sent to again\n", "", "suppression", "remove", "LEA@example.org")
	c.want(t, 0, `{"removed":"+33 6 12 34 56 78"}`, "", "suppression", "remove", "+33 6 12 34 56 78", "--output", "json")
	c.want(t, 3, "server answered 404 no_such_suppression", "", "suppression", "remove", "lea@example.org")
	c.want(t, 3, "invalid_query: recipient: neither an email address", "", "suppression", "remove", "lea")
	if refused("lea@example.org") || refused("+33612345678") || !refused("ada@example.org") {
		t.Error("who was removed is not sent to, or somebody else is")
	}
	if got := recipients(); got != "ada@example.org tom@example.org +4915112345678" {
		t.Errorf("left are %s", got)
	}
}

func TestSuppressionsWantAnAdminKey(t *testing.T) {
	c := newTerminal(t, func(p *inProcess) string { return p.key })
	c.want(t, 1, "server answered 403 admin_key_required", "", "suppression", "list")
	c.want(t, 1, "server answered 403 admin_key_required", "", "suppression", "remove", "lea@example.org")
}
