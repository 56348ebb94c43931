package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider/published"
)

var sesContract = published.Operation{File: "aws_sesv2_sendemail_trim.json", Path: "/v2/email/outbound-emails"}

func TestSES(t *testing.T) {
	sitExam(t, candidate{
		kind:     "ses",
		settings: awsKeys(map[string]string{"from": "Contoso <codes@id.example.org>", "reply_to": "help@example.org", "configuration_set": "otp"}),
		path:     "/v2/email/outbound-emails",
		contract: &sesContract,
		check: func(r *http.Request, body []byte) error {
			type pair struct{ Name, Value string }
			var mail struct {
				Destination          map[string][]string
				ReplyToAddresses     []string
				ConfigurationSetName string
				EmailTags            []pair
				Content              struct{ Simple struct{ Headers []pair } }
			}
			if err := json.Unmarshal(body, &mail); err != nil {
				return err
			}
			headers := map[string]string{}
			for _, h := range mail.Content.Simple.Headers {
				headers[h.Name] = h.Value
			}
			switch {
			case len(mail.Destination) != 1 || len(mail.Destination["ToAddresses"]) != 1 || mail.Destination["ToAddresses"][0] != "jane@example.com":
				return errors.New("BadRequestException: Destination")
			case mail.ConfigurationSetName != "otp" || len(mail.ReplyToAddresses) != 1 || mail.ReplyToAddresses[0] != "help@example.org":
				return errors.New("NotFoundException: the configuration set, or the address for replies")
			case len(mail.EmailTags) != 1 || mail.EmailTags[0] != (pair{"delivery", deliveryID}):
				return errors.New("BadRequestException: EmailTags")
			case headers["Auto-Submitted"] != "auto-generated" || len(headers) != 3:
				return errors.New("the mail does not say that it is automatic")
			}
			return awsAllows("ses", r, body)
		},
		accepted:  answer{status: 200, body: `{"MessageId":"0102018f-5a3c-000000"}`},
		ref:       "0102018f-5a3c-000000",
		throttled: sesError(429, "TooManyRequestsException", "Too Many Requests", outbox.Throttled),
		quota:     sesError(400, "ThrottlingException", "Daily message quota exceeded.", outbox.Quota),
		badCredentials: sesError(403, "InvalidClientTokenId", "The security token FwoGZXIvYXdzEXAMPLE== included in the request is invalid",
			outbox.Account),
		badRecipient: sesError(400, "BadRequestException", "Local address contains control or whitespace: {to}", outbox.InvalidRecipient),
		down:         answer{status: 503, body: "<html>", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"unverified sender": sesError(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-WEST-1: {to}", outbox.Account),
			"a refused message": sesError(400, "MessageRejected", "Message contains {code}", outbox.RejectedContent),
			"too fast":          sesError(400, "ThrottlingException", "Maximum sending rate exceeded.", outbox.Throttled),
			"suspended account": sesError(400, "AccountSuspendedException", "suspended", outbox.Account),
			"sending paused":    sesError(400, "SendingPausedException", "paused", outbox.Account),
			"mail from domain":  sesError(400, "MailFromDomainNotVerifiedException", "not verified", outbox.Account),
			"no such set":       sesError(404, "NotFoundException", "Configuration set <otp> does not exist", outbox.Account),
			"too many things":   sesError(400, "LimitExceededException", "limit", outbox.Quota),
			"an odd mail":       sesError(400, "BadRequestException", "Header value is odd", outbox.RejectedContent),
			"a wrong clock":     sesError(403, "SignatureDoesNotMatch", "Signature expired: 20261122T100000Z is now earlier than", outbox.Account),
			"a name in the body": {status: 400, body: `{"__type":"com.amazonaws.ses.v2#SendingPausedException","message":"paused"}`,
				class: outbox.Account, code: "400 SendingPausedException"},
			"a name with a URL": {status: 400, header: http.Header{"X-Amzn-Errortype": {"LimitExceededException:http://internal.amazon.com/coral/"}},
				body: `{"Message":"limit"}`, class: outbox.Quota, code: "400 LimitExceededException"},
		},
		private: awsSecrets,
	})
}

func sesError(status int, name, text string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]string{"message": text})
	return answer{status: status, header: http.Header{"X-Amzn-Errortype": {name}}, body: string(body), class: class, code: fmt.Sprint(status, " ", name)}
}

func TestSESCheck(t *testing.T) {
	const good = `{"SendingEnabled":true,"ProductionAccessEnabled":true,"EnforcementStatus":"HEALTHY","SendQuota":{"Max24HourSend":1000,"MaxSendRate":14,"SentLast24Hours":10}}`
	const identity = "GET /v2/email/identities/"
	gone := answer{status: 404, header: http.Header{"X-Amzn-Errortype": {"NotFoundException"}}, body: `{"message":"Email identity codes@id.example.org does not exist"}`}
	verified := answer{body: `{"VerifiedForSendingStatus":true,"DkimAttributes":{"SigningEnabled":true,"Status":"SUCCESS"}}`}
	refused := func(name string) answer {
		return answer{status: 403, header: http.Header{"X-Amzn-Errortype": {name}}, body: `{"message":"no FwoGZXIvYXdzEXAMPLE=="}`}
	}
	for name, test := range map[string]struct {
		set  map[string]string
		asks map[string]answer
		want []string
		says []string
	}{
		"good": {
			map[string]string{"configuration_set": "otp", "receipt_topic": "arn:aws:sns:eu-west-1:123456789012:otpost"},
			map[string]answer{
				"GET /v2/email/account":                {body: good},
				identity + "codes%40id.example.org":    gone,
				identity + "id.example.org":            gone,
				identity + "example.org":               verified,
				"GET /v2/email/configuration-sets/otp": {body: `{"SendingOptions":{"SendingEnabled":true}}`},
				"GET /v2/email/configuration-sets/otp/event-destinations": {body: `{"EventDestinations":[{"Enabled":true,"MatchingEventTypes":["DELIVERY","BOUNCE"],` +
					`"SnsDestination":{"TopicArn":"arn:aws:sns:eu-west-1:123456789012:otpost"}}]}`},
			},
			[]string{"good credentials", "good account", "good daily quota", "good sender", "good dkim", "good configuration set", "good reports"},
			[]string{"The domain example.org is verified"},
		},
		"bad credentials": {nil, map[string]answer{"GET /v2/email/account": refused("InvalidClientTokenId")}, []string{"bad credentials"}, []string{"access_key_id"}},
		"wrong secret":    {nil, map[string]answer{"GET /v2/email/account": refused("SignatureDoesNotMatch")}, []string{"bad credentials"}, []string{"clock"}},
		"wrong clock": {nil, map[string]answer{"GET /v2/email/account": {status: 403, body: `{}`, header: http.Header{"X-Amzn-Errortype": {"RequestExpired"},
			"Date": {"Sun, 22 Nov 2026 09:00:00 GMT"}}}}, []string{"bad credentials", "bad clock"}, []string{"1h0m0s"}},
		"another endpoint": {nil, map[string]answer{"GET /v2/email/account": {status: 404, body: "nginx"}}, []string{"bad credentials"}, []string{"endpoint"}},
		"a key that may only send": {nil, map[string]answer{"GET /v2/email/account": refused("AccessDeniedException"),
			identity + "codes%40id.example.org": refused("AccessDeniedException")}, []string{"good credentials", "doubtful account", "doubtful sender"}, nil},
		"sandbox and nothing verified": {nil, map[string]answer{
			"GET /v2/email/account":             {body: `{"SendingEnabled":true,"EnforcementStatus":"HEALTHY","SendQuota":{"Max24HourSend":200,"SentLast24Hours":200}}`},
			identity + "codes%40id.example.org": gone, identity + "id.example.org": {body: `{"VerifiedForSendingStatus":false}`}, identity + "example.org": gone,
		}, []string{"good credentials", "bad account", "bad daily quota", "bad sender"}, []string{"sandbox", "id.example.org is an identity in eu-west-1 and is not verified"}},
		"shut down, without DKIM, with tracking, another topic": {
			map[string]string{"configuration_set": "otp", "receipt_topic": "arn:aws:sns:eu-west-1:123456789012:otpost"},
			map[string]answer{
				"GET /v2/email/account":                {body: `{"SendingEnabled":false,"SendQuota":{"Max24HourSend":-1}}`},
				identity + "codes%40id.example.org":    {body: `{"VerifiedForSendingStatus":true,"DkimAttributes":{"Status":"PENDING"}}`},
				"GET /v2/email/configuration-sets/otp": {body: `{"SendingOptions":{"SendingEnabled":false}}`},
				"GET /v2/email/configuration-sets/otp/event-destinations": {body: `{"EventDestinations":[{"Enabled":true,"MatchingEventTypes":["CLICK"]},` +
					`{"Enabled":false,"MatchingEventTypes":["DELIVERY","BOUNCE"],"SnsDestination":{"TopicArn":"arn:aws:sns:eu-west-1:123456789012:otpost"}}]}`},
			},
			[]string{"good credentials", "bad account", "good sender", "doubtful dkim", "bad configuration set", "doubtful tracking", "doubtful reports"}, nil,
		},
		"no such set": {
			map[string]string{"configuration_set": "otp"},
			map[string]answer{"GET /v2/email/account": {body: good}, identity + "codes%40id.example.org": verified, "GET /v2/email/configuration-sets/otp": gone},
			[]string{"good credentials", "good account", "good daily quota", "good sender", "good dkim", "bad configuration set"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings := awsKeys(map[string]string{"from": "codes@id.example.org"})
			for k, v := range test.set {
				settings[k] = v
			}
			account{kind: "ses", settings: settings, asks: dated(test.asks), want: test.want, says: test.says, private: awsSecrets,
				allow: func(r *http.Request) error {
					body, err := io.ReadAll(r.Body)
					return errors.Join(err, awsAllows("ses", r, body))
				}}.check(t)
		})
	}
}

// dated gives answers the time of the exam, where they have none: the server would write the day's.
func dated(answers map[string]answer) map[string]answer {
	out := map[string]answer{}
	for ask, a := range answers {
		header := a.header.Clone()
		if header == nil {
			header = http.Header{}
		}
		if header.Get("Date") == "" {
			header.Set("Date", examNow.Format(http.TimeFormat))
		}
		a.header = header
		out[ask] = a
	}
	return out
}
