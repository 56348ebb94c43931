package extension_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/extension"
)

const depth = 16

// lea is the event of testdata/events/reference.json.
func lea() extension.Event {
	shop := extension.ServicePrincipal{ID: "11111111-0000-4000-8000-000000000001", AppID: appID,
		AppDisplayName: "Boutique", DisplayName: "Boutique"}
	return extension.Event{
		Source:   "/tenants/" + tenantID + "/applications/" + appID,
		TenantID: tenantID, ListenerID: "0f6a7d20-0000-4000-8000-0000000000cc",
		ExtensionID: "91b4c7e2-0000-4000-8000-0000000000dd", Identifier: "lea@example.org", Code: "40718265",
		CorrelationID: "e2c9b7b8-0000-4000-8000-0000000000ee",
		Client:        extension.Client{IP: "203.0.113.9", Locale: "fr-fr", Market: "fr-fr"},
		Protocol:      "OAUTH2.0", RequestType: "signUp", Application: shop, Resource: shop,
	}
}

func TestDecodePublishedShapes(t *testing.T) {
	sample := lea()
	sample.Client.IP, sample.RequestType, sample.Resource = "2001:db8::9", "SignIn", extension.ServicePrincipal{}
	nulls := extension.Event{TenantID: tenantID, Identifier: "lea@example.org", Code: "40718265"}
	for name, want := range map[string]extension.Event{
		"reference": lea(), "sample-function": sample, "nulls": nulls,
	} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile("testdata/events/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			got, err := extension.Decode(body, depth)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", fields(got), fields(want))
			}
		})
	}
}

// fields shows all of an event, which the event itself never does.
func fields(e extension.Event) any {
	type bare extension.Event
	return bare(e)
}

func TestEncodeIsDecodedToTheSameEvent(t *testing.T) {
	bare := lea()
	bare.Resource, bare.Application = extension.ServicePrincipal{}, extension.ServicePrincipal{}
	odd := lea()
	odd.Identifier, odd.Application.DisplayName = "o'né\"<\u2028>@example.org", `<b>&"`
	for _, want := range []extension.Event{lea(), bare, odd} {
		for _, casing := range []extension.Casing{extension.OneTimeCode, extension.BothCasings, extension.LowerCase} {
			got, err := extension.Decode(want.Encode(casing), depth)
			if err != nil || got != want {
				t.Errorf("casing %d: %v\ngot  %+v\nwant %+v", casing, err, fields(got), fields(want))
			}
		}
	}
}

func TestEncodeCasings(t *testing.T) {
	for casing, want := range map[extension.Casing]string{
		extension.OneTimeCode: `{"identifier":"lea@example.org","oneTimeCode":"40718265"}`,
		extension.BothCasings: `{"identifier":"lea@example.org","oneTimeCode":"40718265","onetimecode":"40718265"}`,
		extension.LowerCase:   `{"identifier":"lea@example.org","onetimecode":"40718265"}`,
	} {
		if got := string(lea().Encode(casing)); !strings.Contains(got, `"otpContext":`+want) {
			t.Errorf("casing %d: %s lacks %s", casing, got, want)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	const types = `"type":"microsoft.graph.authenticationEvent.emailOtpSend"`
	const good = `{"identifier":"a@b.example","oneTimeCode":"1234"}`
	event := func(data string) string { return `{` + types + `,"data":{` + data + `}}` }
	for name, test := range map[string]struct {
		body   string
		fault  extension.Fault
		member string
	}{
		"empty":             {``, extension.NotJSON, ""},
		"array":             {`[]`, extension.NotJSON, ""},
		"cut off":           {`{"type":"x"`, extension.NotJSON, ""},
		"two documents":     {`{} {}`, extension.NotJSON, ""},
		"null":              {`null`, extension.Missing, "type"},
		"nothing":           {`{}`, extension.Missing, "type"},
		"another event":     {`{"type":"microsoft.graph.authenticationEvent.tokenIssuanceStart"}`, extension.WrongEvent, "type"},
		"another callout":   {event(`"@odata.type":"microsoft.graph.onTokenIssuanceStartCalloutData"`), extension.WrongEvent, "data.@odata.type"},
		"no data":           {`{` + types + `}`, extension.Missing, "data.tenantId"},
		"data a number":     {`{` + types + `,"data":7}`, extension.WrongType, "data"},
		"otpContext a list": {event(`"otpContext":[]`), extension.WrongType, "data.otpContext"},
		"no tenant":         {event(`"otpContext":` + good), extension.Missing, "data.tenantId"},
		"tenant a number":   {event(`"tenantId":7,"otpContext":` + good), extension.WrongType, "data.tenantId"},
		"no identifier":     {event(`"tenantId":"t","otpContext":{"oneTimeCode":"1234"}`), extension.Missing, "data.otpContext.identifier"},
		"no code":           {event(`"tenantId":"t","otpContext":{"identifier":"a@b.example"}`), extension.Missing, "data.otpContext.oneTimeCode"},
		"null code":         {event(`"tenantId":"t","otpContext":{"identifier":"a@b.example","onetimecode":null}`), extension.Missing, "data.otpContext.oneTimeCode"},
		"code a number":     {event(`"tenantId":"t","otpContext":{"identifier":"a@b.example","oneTimeCode":1234}`), extension.WrongType, "data.otpContext.oneTimeCode"},
		"two codes":         {event(`"tenantId":"t","otpContext":{"identifier":"a@b.example","oneTimeCode":"1234","onetimecode":"1235"}`), extension.Conflicting, "data.otpContext.oneTimeCode"},
		"two recipients":    {event(`"tenantId":"t","otpContext":` + good + `,"OTPCONTEXT":{"IDENTIFIER":"c@d.example"}`), extension.Conflicting, "data.otpContext.identifier"},
		"deep":              {event(`"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20)), extension.TooDeep, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := extension.Decode([]byte(test.body), depth)
			var got *extension.DecodeError
			if !errors.As(err, &got) || got.Fault != test.fault || got.Member != test.member {
				t.Errorf("got %v, want %s of %q", err, test.fault, test.member)
			}
		})
	}
}

func TestDecodeToleratesOddOptionalMembers(t *testing.T) {
	body := `{"TYPE":"#Microsoft.Graph.AuthenticationEvent.EmailOtpSend","source":7,"data":{"OTPCONTEXT":
		{"Identifier":"a@b.example","ONETIMECODE":"1234","oneTimeCode":"1234"},"TenantID":"t",
		"authenticationEventListenerId":{"a":[]},"authenticationContext":{"client":"none","clientServicePrincipal":[1],
		"requestType":"signIn","requestType":"signUp","protocol":false}}}`
	got, err := extension.Decode([]byte(body), depth)
	want := extension.Event{TenantID: "t", Identifier: "a@b.example", Code: "1234", RequestType: "signUp"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", fields(got), err)
	}
}

// Row "code in the API answer" of the field's advisories (HackerOne 777957) has a sister: the code in a log line.
func TestEventNeverShowsItsCode(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	e := lea()
	log.Info("event", "event", e)
	fmt.Fprintf(&out, "%v %+v %#v %s", e, e, e, e)
	_, err := extension.Decode([]byte(strings.Replace(string(e.Encode(extension.OneTimeCode)), `"tenantId":"`, `"tenantId":"","x":"`, 1)), depth)
	fmt.Fprint(&out, err)
	for _, secret := range []string{e.Code, e.Identifier} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is shown in %s", secret, out.String())
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"reference", "sample-function", "nulls"} {
		body, err := os.ReadFile("testdata/events/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"type":"x","data":{"otpContext":[[[{}]]]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := extension.Decode(body, depth)
		if err != nil {
			var typed *extension.DecodeError
			if !errors.As(err, &typed) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if e.Identifier == "" || e.Code == "" || e.TenantID == "" {
			t.Fatal("an event without what it needs was accepted")
		}
		again, err := extension.Decode(e.Encode(extension.BothCasings), depth)
		if err != nil || again != e {
			t.Fatalf("encoded and decoded: %v\ngot  %+v\nwant %+v", err, fields(again), fields(e))
		}
	})
}
