package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/provider"
)

// awsKeys are the settings of an account, and what Amazon knows of it.
func awsKeys(more map[string]string) map[string]string {
	settings := map[string]string{"access_key_id": "ASIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		"session_token": "FwoGZXIvYXdzEXAMPLE==", "region": "eu-west-1"}
	for name, value := range more {
		settings[name] = value
	}
	return settings
}

var awsSecrets = []string{"wJalrXUtnFEMI", "FwoGZXIvYXdz"}

// awsAllows refuses a request that Amazon would refuse: the signature is made again from what arrived.
func awsAllows(service string, r *http.Request, body []byte) error {
	_, rest, ok := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	names, _, ok2 := strings.Cut(rest, ", Signature=")
	if !ok || !ok2 {
		return errors.New("MissingAuthenticationToken")
	}
	signed := http.Header{}
	for name := range strings.SplitSeq(names, ";") {
		if name != "host" {
			signed.Set(name, r.Header.Get(name))
		}
	}
	for _, name := range []string{"host", "x-amz-date", "x-amz-security-token"} {
		if !strings.Contains(names, name) {
			return fmt.Errorf("IncompleteSignature: %s is not signed", name)
		}
	}
	if r.Header.Get("X-Amz-Date") != "20261122T100000Z" {
		return errors.New("RequestExpired")
	}
	u, err := url.Parse("http://" + r.Host + r.RequestURI)
	if err != nil {
		return err
	}
	provider.SignAWS(provider.AWSKey{AccessKey: "ASIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		SessionToken: "FwoGZXIvYXdzEXAMPLE==", Region: "eu-west-1", Service: service}, r.Method, u, signed, body, examNow)
	if signed.Get("Authorization") != r.Header.Get("Authorization") {
		return errors.New("SignatureDoesNotMatch")
	}
	return nil
}

func TestAWSSettings(t *testing.T) {
	for _, k := range []string{"ses", "sns"} {
		for name, wrong := range map[string]map[string]string{
			"setting access_key_id":     {"access_key_id": "AKIA"},
			"setting secret_access_key": {"secret_access_key": "two words"},
			"setting session_token":     {"session_token": ""},
			"setting region":            {"region": "eu-west-1.evil.example"},
			"setting endpoint":          {"endpoint": "http://email.eu-west-1.amazonaws.com"},
		} {
			settings := awsKeys(map[string]string{"from": "Contoso"})
			if k == "ses" {
				settings["from"] = "codes@id.example.org"
			}
			for s, value := range wrong {
				settings[s] = value
			}
			_, err := kind(t, k).Open(parsed(t, k, settings), provider.Environment{})
			if err == nil || !strings.Contains(err.Error(), "provider "+k+": "+name) {
				t.Errorf("%s: got %v, want it to name %q", k, err, name)
			}
			if err != nil && strings.Contains(err.Error(), "wJalrXUtnFEMI") {
				t.Errorf("the error %v holds the secret", err)
			}
		}
	}
}

// The SDK's own table of endpoints says the same (client-sesv2 and client-sns 3.1168.0).
func TestAWSEndpoints(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1":      "https://sns.us-east-1.amazonaws.com",
		"us-gov-west-1":  "https://sns.us-gov-west-1.amazonaws.com",
		"cn-north-1":     "https://sns.cn-north-1.amazonaws.com.cn",
		"eusc-de-east-1": "https://sns.eusc-de-east-1.amazonaws.eu",
	} {
		if got := provider.AWSEndpoint("", "sns", region); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := provider.AWSEndpoint("https://vpce-1.example", "sns", "eu-west-1"); got != "https://vpce-1.example" {
		t.Errorf("got %s, want the one that was set", got)
	}
}
