package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/provider"
)

// The first vectors are those that AWS publishes as its Signature Version 4 test suite, by their names there. They sign
// no hash of the body, and encode a path once, so those with odd paths are left out.
func TestSignatureVersion4Suite(t *testing.T) {
	key := provider.AWSKey{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1", Service: "service"}
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for _, v := range []struct{ name, method, url, header, body, want string }{
		{"get-vanilla", "GET", "/", "", "", "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "", "", "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-query-unreserved", "GET", "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", "",
			"SignedHeaders=host;x-amz-date, Signature=9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{"post-vanilla", "POST", "/", "", "", "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-x-www-form-urlencoded", "POST", "/", "Content-Type: application/x-www-form-urlencoded", "Param1=value1",
			"SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"get-header-value-trim", "GET", "/", "My-Header1:  value1 \nMy-Header2:  \"a   b   c\" ", "",
			"SignedHeaders=host;my-header1;my-header2;x-amz-date, Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	} {
		u, err := url.Parse("https://example.amazonaws.com" + v.url)
		if err != nil {
			t.Fatal(err)
		}
		header := headerOf(v.header)
		provider.SignAWS(key, v.method, u, header, []byte(v.body), at)
		if got := header.Get("Authorization"); got != "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+v.want {
			t.Errorf("%s: got %s", v.name, got)
		}
	}
}

// headerOf reads one field from each line.
func headerOf(lines string) http.Header {
	header := http.Header{}
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		header.Set(name, value)
	}
	return header
}

// These are requests that @aws-sdk/client-sesv2 and client-sns 3.1168.0 made with a fixed clock and keys, caught before
// they were sent: the header that they signed, and the signature.
func TestSignatureVersion4AsTheSDK(t *testing.T) {
	const (
		sdk  = "amz-sdk-request: attempt=1; max=1\nx-amz-user-agent: aws-sdk-js/3.1168.0\n"
		mail = `{"Content":{"Simple":{"Subject":{"Data":"482913 is your code","Charset":"UTF-8"},"Body":{"Text":{"Data":"Your code: 482913","Charset":"UTF-8"}}}},"FromEmailAddress":"codes@id.example.org","Destination":{"ToAddresses":["jane@example.com"]}}`
		sms  = "Action=Publish&Version=2010-03-31&Message=482913%20is%20your%20code~%2A%0A%40example.org%20%23482913&PhoneNumber=%2B34600111222&MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=Transactional&MessageAttributes.entry.2.Name=AWS.SNS.SMS.SenderID&MessageAttributes.entry.2.Value.DataType=String&MessageAttributes.entry.2.Value.StringValue=Contoso"
	)
	for _, v := range []struct{ name, service, token, method, url, header, body, want string }{
		{"SendEmail", "ses", "", "POST", "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
			sdk + "content-type: application/json\ncontent-length: 239\namz-sdk-invocation-id: 5a98cf43-5663-4a20-8984-c4cd9bdd4d68\n" +
				"x-amz-content-sha256: bfabeaf1ccfb4c3acf35f00497d43832a340f5cc983fed1105945f11ac00cc0c", mail,
			"SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-user-agent, Signature=021b1121a57d3d33a51c42d352788684a521d84bac21f3a3aa196c14f4e35fc7"},
		{"GetEmailIdentity with a session token and an odd path", "ses", "FwoGZXIvYXdzEXAMPLE==", "GET", "https://email.eu-west-1.amazonaws.com/v2/email/identities/codes%2Bx%20y%40id.example.org",
			sdk + "amz-sdk-invocation-id: e83df3d5-08db-438c-8ba3-61a703239379\n" +
				"x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "",
			"SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-user-agent, Signature=d321cd82589867b92825a0931a3348a67372626ab71a69c0f6a6a59fa75940a7"},
		{"Publish", "sns", "", "POST", "https://sns.eu-west-1.amazonaws.com/",
			sdk + "content-type: application/x-www-form-urlencoded\ncontent-length: 436\namz-sdk-invocation-id: 7b400b41-ff26-4a36-b586-cd99a1d1b835\n" +
				"x-amz-content-sha256: 22b8ab2e72321a86bb27ac2cf67c56755e503feff231f162dbb0c2d19f10f002", sms,
			"SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-user-agent, Signature=c023f833d84aea24dc0b29f771620cf2c5e167bff9a02a14b462638b8d5efe04"},
	} {
		u, err := url.Parse(v.url)
		if err != nil {
			t.Fatal(err)
		}
		header := headerOf(v.header)
		provider.SignAWS(provider.AWSKey{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: v.token,
			Region: "eu-west-1", Service: v.service}, v.method, u, header, []byte(v.body), examNow)
		if got := header.Get("Authorization"); got != "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-west-1/"+v.service+"/aws4_request, "+v.want {
			t.Errorf("%s: got %s", v.name, got)
		}
	}
}
