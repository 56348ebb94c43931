package provider

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // SignatureVersion 1
	_ "crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// snsNotice is what Amazon SNS posts to a subscriber (SNS Developer Guide, "Parsing Amazon SNS message formats").
type snsNotice struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	Token            string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

const (
	snsNotification = "Notification"
	snsSubscribe    = "SubscriptionConfirmation"
	snsUnsubscribe  = "UnsubscribeConfirmation"
)

// snsMaxAge is how old a notice may be: SNS tries an HTTP subscriber for an hour at most (SNS Developer Guide, "Creating
// an Amazon SNS delivery policy"), and every try carries the time of the first.
const snsMaxAge = time.Hour + maxReportAge*time.Second

// snsTopic is the form of a topic's ARN.
var snsTopic = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

// snsReader believes notices of some topics.
type snsReader struct {
	topics []string
	keys   *snsKeys
	now    func() time.Time
}

// read returns a notice that SNS signed just now for one of the topics. Everything that costs nothing is looked at
// before a certificate is fetched.
func (s *snsReader) read(ctx context.Context, body []byte) (snsNotice, error) {
	var n snsNotice
	if json.Unmarshal(body, &n) != nil || n.MessageID == "" {
		return n, fmt.Errorf("%w: want a signed message of Amazon SNS; raw message delivery must be off", ErrForged)
	}
	if !slices.Contains(s.topics, n.TopicArn) {
		return n, fmt.Errorf("%w: its topic is not in receipt_topic", ErrForged)
	}
	at, err := time.Parse(time.RFC3339, n.Timestamp)
	if err != nil {
		return n, fmt.Errorf("%w: its Timestamp is missing", ErrForged)
	}
	if age := s.now().Sub(at); age > snsMaxAge || age < -maxReportAge*time.Second {
		return n, fmt.Errorf("%w: its Timestamp is too far from now", ErrForged)
	}
	hash, ok := map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}[n.SignatureVersion]
	if !ok {
		return n, fmt.Errorf("%w: its SignatureVersion is neither 1 nor 2", ErrForged)
	}
	signature, err := base64.StdEncoding.DecodeString(n.Signature)
	if err != nil || len(signature) == 0 {
		return n, fmt.Errorf("%w: its Signature is missing", ErrForged)
	}
	text, err := n.signed()
	if err != nil {
		return n, err
	}
	key, err := s.keys.find(ctx, n.SigningCertURL)
	if err != nil {
		return n, err
	}
	digest := hash.New()
	digest.Write([]byte(text))
	if rsa.VerifyPKCS1v15(key, hash, digest.Sum(nil), signature) != nil {
		return n, fmt.Errorf("%w: its Signature does not fit", ErrForged)
	}
	return n, nil
}

// signed is the text under the signature: names and values on lines of their own, in the order of the names (SNS
// Developer Guide, "Verifying the signatures of Amazon SNS messages").
func (n *snsNotice) signed() (string, error) {
	lines := []string{"Message", n.Message, "MessageId", n.MessageID}
	switch n.Type {
	case snsNotification:
		if n.Subject != nil {
			lines = append(lines, "Subject", *n.Subject)
		}
		lines = append(lines, "Timestamp", n.Timestamp, "TopicArn", n.TopicArn, "Type", n.Type)
	case snsSubscribe, snsUnsubscribe:
		lines = append(lines, "SubscribeURL", n.SubscribeURL, "Timestamp", n.Timestamp, "Token", n.Token,
			"TopicArn", n.TopicArn, "Type", n.Type)
	default:
		return "", fmt.Errorf("%w: its Type is unknown", ErrForged)
	}
	return strings.Join(lines, "\n") + "\n", nil
}
