package redact_test

import (
	"testing"

	"github.com/otpost/otpost/internal/redact"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"address", "sent to alice@example.org now", "sent to a***@e***.org now"},
		{"address with a tag", "<o'brien+x@mail.example.co.uk>", "<o***@m***.uk>"},
		{"one letter", "a@b.org", "***@***.org"},
		{"no dot", "root@localhost", "r***@l***"},
		{"end of a sentence", "no mailbox alice@example.org.", "no mailbox a***@e***.org."},
		{"other scripts", "Grüße an élodie@exämple.org!", "Grüße an é***@e***.org!"},
		{"quoted local part", `to "alice b"@example.org`, "to ***@e***.org"},
		{"address literal", "alice@[192.0.2.1]", "a***@***"},
		{"two addresses", "a1@x1.org,b2@x2.org", "a***@x***.org,b***@x***.org"},
		{"percent-encoded", "GET /v1/inbox?to=alice%40example.org", "GET /v1/inbox?to=a***%40e***.org"},
		{"in a path", "/users/alice@example.org/x", "/users/a***@e***.org/x"},
		{"lonely sign", "@ or a@ or @b", "@ or a@ or @b"},

		{"number", "to +33123456789", "to +331•••••89"},
		{"number with spaces", "tel:+33 1 23-45.67 (89)", "tel:+331•••••89)"},
		{"short number", "+1234567", "+12•••••7"},
		{"percent-encoded number", "to=%2B33123456789&x", "to=+331•••••89&x"},
		{"too long for a number", "+1234567890123456", "+1234567890123456"},
		{"time zones are not numbers", "2026-01-02T03:04:05+01:00 +0100", "2026-01-02T03:04:05+01:00 +0100"},
		{"base64 is not a number", "abc+12345678", "abc+12345678"},

		{"user of a URL", "postgres://u:p@db/x?sslmode=require", "postgres://***@db/x?sslmode=require"},
		{"password with a slash", "smtp://u:p/a#s@h:587", "smtp://***@h:587"},
		{"address in a query", "https://h:80/x?to=alice@example.org", "https://h:80/x?to=a***@e***.org"},
		{"code in a query", "GET /api/f?code=s3cr&x=1", "GET /api/f?code=***&x=1"},
		{"secrets in a query", "?access_token=abc&apiKey=def#f", "?access_token=***&apiKey=***"},

		{"code with a colon", "code: 492817, tries 2", "code: ***, tries 2"},
		{"code in words", "Your code is 492817.", "Your code is ***"},
		{"code next to the word", "passcode KXWQZR refused", "passcode *** refused"},
		{"code first", "492817 is your Shop code", "*** is your Shop code"},
		{"code in JSON", `{"oneTimeCode":"492817","n":1}`, `{"oneTimeCode":"***","n":1}`},
		{"escaped quote", `{"password":"a\"b"}`, `{"password":"***"}`},
		{"password in words", "password: hunter", "password: ***"},
		{"header", "Authorization: Basic dTpw x", "Authorization: *** x"},
		{"bearer", "got Bearer abc123 from", "got Bearer *** from"},
		{"basic", "sent basic dTpwYXNz", "sent basic ***"},
		{"JWT", "token eyJhbGciOiJub25lIn0.eyJhIjoxfQ. bad", "token *** bad"},
		{"lonely JWT", "bad eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "bad ***"},

		{"other codes", "status code 50013, error code: 10030014, exit code 1234", "status code 50013, error code: 10030014, exit code 1234"},
		{"SMTP reply", "550 5.1.1 no such user", "550 5.1.1 no such user"},
		{"prose", "wrong code: try again; invalid token: signature is bad", "wrong code: try again; invalid token: signature is bad"},
		{"prose about tokens", "bearer token missing", "bearer token missing"},
		{"plain URL", "https://otp.example.com:8443/x?y=1", "https://otp.example.com:8443/x?y=1"},
		{"ids", "passcode pc_01jd5k2m3n4p5q6r7s8t9v0w1x verified", "passcode pc_01jd5k2m3n4p5q6r7s8t9v0w1x verified"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := redact.Text(c.text)
			if got != c.want {
				t.Errorf("%q became %q, want %q", c.text, got, c.want)
			}
			if again := redact.Text(got); again != got {
				t.Errorf("masking twice: %q became %q", got, again)
			}
		})
	}
}
