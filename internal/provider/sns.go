package provider

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type snsSettings struct {
	awsAccount
	From       string `name:"from" help:"Sender ID of 1 to 11 letters and digits, or a number of the account with +; without it Amazon chooses one."`
	MaxPrice   string `name:"max_price" help:"Most that one message may cost, in US dollars such as 0.10; Amazon does not send dearer ones."`
	EntityID   string `name:"entity_id" help:"Entity id for India, as registered there."`
	TemplateID string `name:"template_id" help:"Template id for India, as registered there."`
	Endpoint   string `name:"endpoint" help:"Address of the API, if it is not the region's own."`
	connection
}

func sns() Kind {
	return Kind{
		Name:     "sns",
		Channels: []outbox.Channel{outbox.SMS},
		Doc:      "Sends SMS through Amazon SNS, which reports no deliveries.",
		Settings: snsSettings{},
		Open:     opener(openSNS),
	}
}

type snsSender struct {
	awsService
	settings snsSettings
}

var (
	snsSenderID = regexp.MustCompile(`^[A-Za-z0-9-]{1,11}$`)
	snsNumber   = regexp.MustCompile(`^\+[1-9][0-9]{2,14}$`)
	snsPrice    = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,5})?$`)
)

// snsFrom names the attribute that takes a sender: an id needs a letter at least. It is empty for what can be neither.
func snsFrom(from string) (attribute string) {
	switch {
	case snsNumber.MatchString(from):
		return "AWS.MM.SMS.OriginationNumber"
	case snsSenderID.MatchString(from) && strings.ContainsFunc(from, func(r rune) bool { return r > '9' }):
		return "AWS.SNS.SMS.SenderID"
	}
	return ""
}

func openSNS(s snsSettings, env Environment) (outbox.Sender, error) {
	if s.From != "" && snsFrom(s.From) == "" {
		return nil, errors.New("provider sns: setting from: want 1 to 11 letters, digits and hyphens with a letter among them, or a number such as +14155550100")
	}
	if s.MaxPrice != "" && !snsPrice.MatchString(s.MaxPrice) {
		return nil, errors.New("provider sns: setting max_price: want US dollars such as 0.10")
	}
	a, err := openAWS("sns", "sns", "sns", s.Endpoint, s.awsAccount, s.connection, env)
	if err != nil {
		return nil, err
	}
	return &snsSender{awsService: a, settings: s}, nil
}

// action makes a request of the query protocol (SNS API Reference 2010-03-31) and decodes the answer.
func (s *snsSender) action(ctx context.Context, name string, values url.Values, out any) (reply, *outbox.Fault) {
	values.Set("Action", name)
	values.Set("Version", "2010-03-31")
	r, fault := s.request(ctx, http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(values.Encode()))
	if fault == nil && (!r.Whole || xml.Unmarshal(r.Body, out) != nil) {
		fault = unread(r)
	}
	return r, fault
}

// Send publishes the message to one number (SNS API Reference, Publish). SNS has no idempotency key for numbers.
func (s *snsSender) Send(ctx context.Context, _ string, m outbox.Message) (string, error) {
	var taken struct {
		MessageID string `xml:"PublishResult>MessageId"`
	}
	r, fault := s.action(ctx, "Publish", s.message(&m), &taken)
	switch {
	case fault == nil:
		return taken.MessageID, nil
	case r.Status >= 200 && r.Status <= 299: // an answer that cannot be read has no reference, and is a 200 all the same
		return "", nil
	}
	return "", s.understand(r, fault, &m)
}

func (s *snsSender) message(m *outbox.Message) url.Values {
	values := url.Values{"PhoneNumber": {m.To}, "Message": {m.Text}}
	n := 0
	attribute := func(name, kind, value string) {
		if value == "" {
			return
		}
		n++
		entry := "MessageAttributes.entry." + strconv.Itoa(n)
		values.Set(entry+".Name", name)
		values.Set(entry+".Value.DataType", kind)
		values.Set(entry+".Value.StringValue", value)
	}
	attribute("AWS.SNS.SMS.SMSType", "String", "Transactional")
	from := s.settings.From
	if snsFrom(m.From) != "" { // anything else that a message brings is for mail
		from = m.From
	}
	attribute(snsFrom(from), "String", from)
	attribute("AWS.SNS.SMS.MaxPrice", "Number", s.settings.MaxPrice)
	attribute("AWS.MM.SMS.EntityId", "String", s.settings.EntityID)
	attribute("AWS.MM.SMS.TemplateId", "String", s.settings.TemplateID)
	return values
}

// understand reads the errors of SNS (SNS API Reference, Publish, "Errors").
func (s *snsSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	name, text := awsError(r)
	if name == "" {
		return fault
	}
	class := awsClass(name, text)
	switch strings.TrimSuffix(name, "Exception") {
	case "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid":
		class = outbox.RejectedContent
		if strings.Contains(text, "PhoneNumber") {
			class = outbox.InvalidRecipient
		}
	case "OptedOut":
		class = outbox.Suppressed
	case "AuthorizationError", "UserError":
		class = outbox.Account
	case "InternalError":
		class = outbox.Transient
	}
	return s.explain(fault, class, fmt.Sprintf("%d %s", r.Status, name), text, m)
}

// Check looks at the account's settings for SMS (SNS API Reference, GetSMSSandboxAccountStatus and GetSMSAttributes).
func (s *snsSender) Check(ctx context.Context) []Finding {
	var sandbox struct {
		Is bool `xml:"GetSMSSandboxAccountStatusResult>IsInSandbox"`
	}
	r, fault := s.action(ctx, "GetSMSSandboxAccountStatus", url.Values{}, &sandbox)
	found := append([]Finding{awsCredentials(r, fault)}, clockFinding(r, s.now())...)
	f := Finding{Subject: "account", Verdict: Good, Found: "It may send SMS from " + s.settings.Region + "."}
	switch {
	case found[0].Verdict != Good:
		return found
	case fault != nil:
		f = unseen("account", s.understand(r, fault, &outbox.Message{}))
	case sandbox.Is:
		f.Verdict, f.Found = Bad, "It is in the SMS sandbox in "+s.settings.Region+": only verified numbers get messages."
		f.Do = "Leave the SMS sandbox in the SNS console, for this region."
	}
	return append(found, f, s.checkSpend(ctx))
}

// checkSpend looks for the month's limit, which a new account has at one US dollar. What was spent is not told.
func (s *snsSender) checkSpend(ctx context.Context) Finding {
	var attributes struct {
		Entries []struct {
			Key   string `xml:"key"`
			Value string `xml:"value"`
		} `xml:"GetSMSAttributesResult>attributes>entry"`
	}
	r, fault := s.action(ctx, "GetSMSAttributes", url.Values{"attributes.member.1": {"MonthlySpendLimit"}}, &attributes)
	if fault != nil {
		return unseen("monthly limit", s.understand(r, fault, &outbox.Message{}))
	}
	f := Finding{Subject: "monthly limit", Verdict: Doubtful, Found: "None is set, so Amazon's own of 1 US dollar for new accounts may count.",
		Do: "Set the account's SMS spend limit in the SNS console; over it Amazon drops messages and says so nowhere but in its logs."}
	for _, e := range attributes.Entries {
		limit, err := strconv.ParseFloat(e.Value, 64)
		if e.Key != "MonthlySpendLimit" || err != nil {
			continue
		}
		f.Found = fmt.Sprintf("Amazon stops at %g US dollars a month.", limit)
		if limit > 1 {
			f.Verdict, f.Do = Good, ""
		}
	}
	return f
}
