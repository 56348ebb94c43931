package provider

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// awsAccount is what the kinds that speak to Amazon Web Services are told about the account. It is embedded in their
// settings.
type awsAccount struct {
	AccessKeyID     string `name:"access_key_id" required:"true" help:"Access key of a user or role that may send and nothing else."`
	SecretAccessKey string `name:"secret_access_key" required:"true" secret:"true" help:"The access key's secret."`
	SessionToken    string `name:"session_token" secret:"true" help:"Session token, for a temporary access key only."`
	Region          string `name:"region" required:"true" help:"Region whose service is used, such as eu-west-1."`
}

var (
	awsRegion    = regexp.MustCompile(`^[a-z]{2,5}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)
	awsAccessKey = regexp.MustCompile(`^[A-Za-z0-9_]{16,128}$`) // IAM API Reference, AccessKey
)

func (a awsAccount) check() error {
	switch {
	case !awsAccessKey.MatchString(a.AccessKeyID):
		return errors.New("setting access_key_id: want 16 or more letters and digits, such as AKIA and what follows")
	case strings.ContainsAny(a.SecretAccessKey, " \t\r\n"):
		return errors.New("setting secret_access_key: want a key without white space")
	case strings.HasPrefix(a.AccessKeyID, "ASIA") && a.SessionToken == "":
		return errors.New("setting session_token is missing: an access key that begins with ASIA is temporary and needs one")
	case !awsRegion.MatchString(a.Region):
		return errors.New("setting region: want a region such as eu-west-1")
	}
	return nil
}

// awsEndpoint is the address of a service in a region, where endpoint does not say another (AWS General Reference,
// "Service endpoints"). Partitions with other domains need the endpoint setting.
func awsEndpoint(endpoint, service, region string) string {
	switch {
	case endpoint != "":
		return endpoint
	case strings.HasPrefix(region, "cn-"):
		return "https://" + service + "." + region + ".amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "https://" + service + "." + region + ".amazonaws.eu"
	}
	return "https://" + service + "." + region + ".amazonaws.com"
}

// awsService is one service of Amazon as a vendor, whose requests are signed.
type awsService struct {
	*vendor
	signer signer
}

// openAWS makes the vendor of a kind. host is the service's name in its address, service its name in signatures.
func openAWS(kind, host, service, endpoint string, a awsAccount, c connection, env Environment) (awsService, error) {
	if err := a.check(); err != nil {
		return awsService{}, fmt.Errorf("provider %s: %w", kind, err)
	}
	v, err := newVendor(kind, awsEndpoint(endpoint, host, a.Region), c, env, a.SecretAccessKey, a.SessionToken)
	if err != nil {
		return awsService{}, err
	}
	return awsService{v, signer{accessKey: a.AccessKeyID, secretKey: a.SecretAccessKey, sessionToken: a.SessionToken,
		region: a.Region, service: service}}, nil
}

// request signs a request and makes it. contentType is empty for a request without a body.
func (s awsService) request(ctx context.Context, method, path, contentType string, body []byte) (reply, *outbox.Fault) {
	u, err := url.Parse(s.base + path)
	if err != nil {
		return reply{}, outbox.Faultf(outbox.Account, "", "the URL cannot be used")
	}
	header := http.Header{}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	s.signer.sign(method, u, header, body, s.now())
	return s.do(ctx, call{Method: method, Path: path, Header: header, Body: body})
}

// awsError reads the name and the words of a refusal in both forms: JSON with the name in a header or in the body
// (Smithy, "AWS restJson1 protocol", Operation error serialization), and XML (Smithy, "AWS query protocol").
func awsError(r reply) (name, text string) {
	var j struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: names are matched without regard to case
	}
	var x struct {
		Error struct {
			Code    string
			Message string
		}
	}
	if json.Unmarshal(r.Body, &j) == nil {
		text = j.Message
	} else if xml.Unmarshal(r.Body, &x) == nil {
		return x.Error.Code, x.Error.Message
	}
	for _, name := range []string{r.Header.Get("X-Amzn-Errortype"), j.Type, j.Code} {
		name, _, _ = strings.Cut(name, ":")
		if _, after, ok := strings.Cut(name, "#"); ok {
			name = after
		}
		if name != "" {
			return name, text
		}
	}
	return "", text
}

// awsClass is the class of an error that every service has (Smithy and AWS API references, "Common errors"), empty for
// any other. The older services say it without "Exception".
func awsClass(name, text string) outbox.Class {
	switch strings.TrimSuffix(name, "Exception") {
	case "AccessDenied", "ExpiredToken", "IncompleteSignature", "InvalidClientTokenId", "InvalidSecurity", "InvalidSignature",
		"MissingAuthenticationToken", "NotAuthorized", "OptInRequired", "RequestExpired", "SignatureDoesNotMatch",
		"UnrecognizedClient":
		return outbox.Account
	case "InternalFailure", "InternalServerError", "ServiceUnavailable":
		return outbox.Transient
	case "Throttling", "Throttled", "TooManyRequests":
		if strings.Contains(strings.ToLower(text), "quota") { // "Daily message quota exceeded"
			return outbox.Quota
		}
		return outbox.Throttled
	}
	return ""
}
